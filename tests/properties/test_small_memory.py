"""A hub that keeps hardly anything in memory does the same, only slower."""

from __future__ import annotations

import anyio
import pytest

import hubbub
from hubbub import RateLimited, Settings


@pytest.mark.parametrize("states_max", [1, 2, 3])
async def test_a_message_is_charged_for_once(states_max: int) -> None:
    settings = Settings(states_max=states_max, message_limit=10)
    async with hubbub.open("memory://", settings=settings) as hub, hub.session("ann") as ann:
        for number in range(10):
            async with hub.session(f"user{number}") as other:
                await ann.chat.send_direct(other.user.id, "hello")

        with pytest.raises(RateLimited):
            await ann.chat.send_direct("user0", "one too many")


@pytest.mark.parametrize("states_max", [1, 3, 50])
async def test_many_users_at_once_all_get_through(states_max: int) -> None:
    settings = Settings(states_max=states_max)
    async with hubbub.open("memory://", settings=settings) as hub:
        async with hub.session("host") as host:
            rooms = [(await host.chat.create_room(f"Room {number}")).id for number in range(3)]

        async def visit(user: str) -> None:
            async with hub.session(user) as session:
                for room in rooms:
                    await session.chat.join(room)
                    said = await session.chat.send(room, "hello", key=room)
                    await session.chat.react(room, said.seq, "👍")
                    await session.chat.send_direct("host", f"I was in {room}.")
                assert await session.chat.send(rooms[0], "hello", key=rooms[0])

        async with anyio.create_task_group() as tasks:
            for number in range(20):
                tasks.start_soon(visit, f"user{number}")

        async with hub.session("host") as host:
            assert len(await host.chat.directs()) == 20
            for room in rooms:
                messages = await host.chat.history(room, limit=100)
                assert sorted(m.by for m in messages) == sorted(f"user{n}" for n in range(20))
                assert all(m.reactions == {"👍": [m.by]} for m in messages)
