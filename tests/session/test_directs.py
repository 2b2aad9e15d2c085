from __future__ import annotations

import pytest

from hubbub.errors import Invalid, NotAllowed, NotFound
from tests.session.worlds import OpenWorld


async def test_a_conversation_begins_with_its_first_message(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob = await w.sessions("Alice", "Bob")
        assert await bob.chat.directs() == []
        said = await alice.chat.send_direct(bob.user.id, "psst")
        answer = await bob.chat.send_direct(alice.user.id, "yes?")
        [room] = await bob.chat.directs()
        assert room.name == alice.user.nickname

        assert said.stream == answer.stream == room.stream
        assert room.private
        assert sorted(room.members) == sorted([alice.user.id, bob.user.id])
        assert [m.text for m in await bob.chat.history(room.id)] == ["psst", "yes?"]
        assert [r.stream for r in await alice.chat.directs()] == [room.stream]


async def test_it_is_its_two_users_alone(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob, eve = await w.sessions("Alice", "Bob", "Eve")
        said = await alice.chat.send_direct(bob.user.id, "psst")
        [room] = await alice.chat.directs()
        calls = [
            eve.chat.join(room.id),
            eve.chat.send(room.id, "hello"),
            eve.chat.history(room.id),
            eve.chat.react(room.id, said.seq, "👀"),
            eve.read(room.stream),
            alice.chat.invite(room.id, eve.user.id),
            alice.chat.kick(room.id, bob.user.id),
            alice.chat.leave(room.id),
        ]

        for call in calls:
            with pytest.raises(NotAllowed):
                await call
        with pytest.raises(NotAllowed):
            async with eve.follow(room.stream, after=0):
                pytest.fail("she is let in")
        assert await eve.chat.rooms() == []


async def test_one_does_not_write_to_oneself_or_nobody(world: OpenWorld) -> None:
    async with world() as w:
        alice = await w.session("Alice")

        with pytest.raises(Invalid):
            await alice.chat.send_direct(alice.user.id, "note to self")
        with pytest.raises(NotFound):
            await alice.chat.send_direct("nobody", "hello?")


async def test_the_same_key_says_it_once(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob = await w.sessions("Alice", "Bob")
        once = await alice.chat.send_direct(bob.user.id, "psst", key="k")
        twice = await alice.chat.send_direct(bob.user.id, "psst", key="k")

        assert once == twice
