"""A client that reconnects to a restored database."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest
from anyio import to_thread

import hubbub
from hubbub import Conflict
from hubbub.journal.backup import backup, restore
from tests.client.test_remote import Restarted


@pytest.mark.parametrize("more", [0, 50])
async def test_who_follows_is_told_though_the_copy_has_grown_past_them(
    tmp_path: Path, more: int
) -> None:
    db, copy = tmp_path / "hub.db", tmp_path / "copy.db"
    async with (
        Restarted(db) as server,
        hubbub.connect(server.address, nickname="Alice") as alice,
    ):
        room = await alice.chat.create_room("r")
        user = alice.user.id
        await to_thread.run_sync(backup, db, copy)
        lost = [await alice.chat.send(room.id, f"lost {number}") for number in range(5)]
        async with alice.follow(room.stream, after=0) as events:
            seen = [await anext(events) for _ in range(lost[-1].seq)]
            await server.stop()
            await to_thread.run_sync(lambda: restore(copy, db, force=True))
            await grow(db, room.id, user, more)
            await server.start()
            with anyio.fail_after(10), pytest.raises(Conflict, match="history was reset"):
                await anext(events)

        texts = [message.text for message in await alice.chat.history(room.id)]
        async with alice.follow(room.stream, after=0) as events:
            first = await anext(events)

    # She is signed in still, and sees what there is.
    assert alice.user.id == user
    assert texts == [f"other {number}" for number in range(more)]
    assert first == seen[0]


async def grow(db: str | Path, room_id: str, user: str, more: int) -> None:
    """Let the room have another history."""
    settings = hubbub.Settings(message_limit=1_000)
    async with hubbub.open(str(db), settings=settings) as hub, hub.session(user) as session:
        for number in range(more):
            await session.chat.send(room_id, f"other {number}")
