from __future__ import annotations

import pytest

import hubbub
from hubbub.errors import Conflict, Invalid, NotFound
from hubbub.settings import Settings


async def test_a_user_is_in_so_many_rooms() -> None:
    settings = Settings(rooms_joined_max=2)
    async with (
        hubbub.open("memory://", settings=settings) as hub,
        hub.session("ann") as ann,
        hub.session("bob") as bob,
    ):
        first = await ann.chat.create_room("one")
        await ann.chat.create_room("two")
        other = await bob.chat.create_room("three")
        await ann.chat.send_direct("bob", "conversations do not count")

        with pytest.raises(Conflict, match="in 2 rooms"):
            await ann.chat.create_room("four")
        with pytest.raises(Conflict, match="in 2 rooms"):
            await ann.chat.join(other.id)
        await ann.chat.join(first.id)
        await ann.chat.leave(first.id)
        assert (await ann.chat.join(other.id)).members == ["bob", "ann"]


async def test_a_room_has_so_many_members() -> None:
    settings = Settings(room_members_max=2)
    async with (
        hubbub.open("memory://", settings=settings) as hub,
        hub.session("ann") as ann,
        hub.session("bob") as bob,
        hub.session("cid") as cid,
    ):
        room = await ann.chat.create_room("Room")
        await bob.chat.join(room.id)

        with pytest.raises(Conflict, match="full"):
            await cid.chat.join(room.id)
        await bob.chat.leave(room.id)
        assert await cid.chat.join(room.id)


async def test_only_a_user_that_there_is_is_banned() -> None:
    async with hubbub.open("memory://") as hub, hub.session("ann") as ann:
        room = await ann.chat.create_room("Room")

        with pytest.raises(NotFound):
            await ann.chat.ban(room.id, "nobody")


@pytest.mark.parametrize("seq", [True, 1.0, "1", None])
async def test_a_mark_is_a_whole_number(seq: int) -> None:
    async with hubbub.open("memory://") as hub, hub.session("ann") as ann:
        room = await ann.chat.create_room("Room")

        with pytest.raises(Invalid):
            await ann.chat.mark_read(room.id, seq)
