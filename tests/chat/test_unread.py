"""How many messages one has not read."""

from __future__ import annotations

import anyio

import hubbub
from hubbub.chat.messages.history import UNREAD_MAX


async def test_they_are_counted_up_to_a_limit() -> None:
    settings = hubbub.Settings(message_limit=10_000)
    async with (
        hubbub.open("memory://", settings=settings) as hub,
        hub.session("ann") as ann,
        hub.session("bob") as bob,
    ):
        room = await ann.chat.create_room("Room")
        await bob.chat.join(room.id)
        async with anyio.create_task_group() as tasks:
            for number in range(UNREAD_MAX - 1):
                tasks.start_soon(ann.chat.send, room.id, str(number))
        before = await bob.chat.unread()
        async with anyio.create_task_group() as tasks:
            for number in range(10):
                tasks.start_soon(ann.chat.send, room.id, str(number))
        after = await bob.chat.unread()

    assert (before, after) == ({room.id: UNREAD_MAX - 1}, {room.id: UNREAD_MAX})
