"""A message with many events costs nothing."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from anyio import to_thread

import hubbub
from hubbub.errors import Conflict
from hubbub.hub import Hubbub
from hubbub.settings import Settings

TIMES = 20


@pytest.fixture(params=["memory", "sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "memory://" if request.param == "memory" else str(tmp_path / "hubbub.db")


async def about(hub: Hubbub, message: hubbub.Message) -> int:
    """Say how many events are read to show a message."""
    read = partial(hub.journal.store.about, message.stream, message.seq, message.seq)
    return len(await to_thread.run_sync(read))


async def test_only_what_counts_is_read_however_much_there_was(url: str) -> None:
    async with hubbub.open(url) as hub, hub.session("ann") as ann, hub.session("bob") as bob:
        room = await ann.chat.create_room("Room")
        await bob.chat.join(room.id)
        said = await ann.chat.send(room.id, "hello")
        for number in range(TIMES):
            await ann.chat.edit(room.id, said.seq, f"hello {number}")
            for form in ("👍", "👍\ufe0f"):
                await bob.chat.react(room.id, said.seq, form)
            await ann.chat.react(room.id, said.seq, "❤️")
            await ann.chat.unreact(room.id, said.seq, "❤")
            if number % 2:
                await bob.chat.unreact(room.id, said.seq, "👍")
        await bob.chat.react(room.id, said.seq, "👍")
        [shown] = await bob.chat.history(room.id)

        assert (shown.text, shown.reactions) == (f"hello {TIMES - 1}", {"👍": ["bob"]})
        assert await about(hub, said) == 2


async def test_of_a_deleted_message_hardly_anything_is_read(url: str) -> None:
    async with hubbub.open(url) as hub, hub.session("ann") as ann:
        room = await ann.chat.create_room("Room")
        said = await ann.chat.send(room.id, "hello")
        for emoji in ("👍", "❤️", "🎉"):
            await ann.chat.react(room.id, said.seq, emoji)
        await ann.chat.edit(room.id, said.seq, "bye")
        await ann.chat.delete(room.id, said.seq)
        [shown] = await ann.chat.history(room.id)

        assert (shown.text, shown.deleted, shown.reactions) == ("", True, {})
        assert await about(hub, said) == 2


async def test_what_counts_is_known_after_a_restart(tmp_path: Path) -> None:
    path = str(tmp_path / "hubbub.db")
    async with hubbub.open(path) as hub, hub.session("ann") as ann:
        room = await ann.chat.create_room("Room")
        said = await ann.chat.send(room.id, "hello")
        await ann.chat.react(room.id, said.seq, "👍")
        await ann.chat.unreact(room.id, said.seq, "👍")
        await ann.chat.react(room.id, said.seq, "❤")
        await ann.chat.edit(room.id, said.seq, "bye")

    async with hubbub.open(path) as hub, hub.session("ann") as ann:
        again = await ann.chat.react(room.id, said.seq, "🎉")

        assert (again.text, list(again.reactions)) == ("bye", ["❤️", "🎉"])
        assert await about(hub, said) == 3


async def test_all_events_are_kept(url: str) -> None:
    async with hubbub.open(url) as hub, hub.session("ann") as ann:
        room = await ann.chat.create_room("Room")
        said = await ann.chat.send(room.id, "hello")
        await ann.chat.react(room.id, said.seq, "👍")
        await ann.chat.unreact(room.id, said.seq, "👍")
        *_, reacted, unreacted = await ann.read(room.stream)

        assert [reacted.ref, unreacted.ref] == [said.seq, said.seq]
        read = partial(hub.journal.store.records, room.stream, 3, 9)
        assert (await to_thread.run_sync(read))[1].ref == said.seq


async def test_the_reactions_of_a_message_have_a_limit() -> None:
    settings = Settings(reactions_max=2)
    async with hubbub.open("memory://", settings=settings) as hub, hub.session("ann") as ann:
        room = await ann.chat.create_room("Room")
        said = await ann.chat.send(room.id, "hello")
        await ann.chat.react(room.id, said.seq, "👍")
        await ann.chat.react(room.id, said.seq, "🎉")

        with pytest.raises(Conflict, match="can have 2 reactions"):
            await ann.chat.react(room.id, said.seq, "❤️")
        await ann.chat.unreact(room.id, said.seq, "👍")
        assert await ann.chat.react(room.id, said.seq, "❤️")
