from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
import pytest

import hubbub
from hubbub.errors import Conflict, Invalid, NotFound, NotMember
from tests.session.test_rights import in_a_room
from tests.session.worlds import OpenWorld

PATIENCE = 10.0


async def take(events: AsyncIterator[hubbub.Event], count: int) -> list[hubbub.Event]:
    """Take so many events."""
    with anyio.fail_after(PATIENCE):
        return [await anext(events) for _ in range(count)]


async def test_history_and_then_what_comes_in_one_sequence(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, bob) = await in_a_room(w, "Alice", "Bob")
        said = await alice.chat.send(room.id, "before")
        async with bob.follow(room.stream, after=0) as events:
            past = await take(events, said.seq)
            await alice.chat.send(room.id, "after")
            [event] = await take(events, 1)

        assert [each.seq for each in past] == list(range(1, said.seq + 1))
        assert past == await bob.read(room.stream, limit=said.seq)
        assert (event.stream, event.seq, event.by) == (room.stream, said.seq + 1, alice.user.id)
        assert event.at == w.clock.now()
        assert getattr(event.data, "text", None) == "after"


async def test_from_now_on_there_is_no_past(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, bob) = await in_a_room(w, "Alice", "Bob")
        async with bob.follow(room.stream) as first:
            said = await alice.chat.send(room.id, "before")
            async with bob.follow(room.stream) as second:
                await alice.chat.send(room.id, "after")

                assert [e.seq for e in await take(second, 1)] == [said.seq + 1]
                assert [e.seq for e in await take(first, 2)] == [said.seq, said.seq + 1]


async def test_an_event_tells_what_it_is_about(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, bob) = await in_a_room(w, "Alice", "Bob")
        said = await alice.chat.send(room.id, "hello")
        await bob.chat.react(room.id, said.seq, "👍")
        [event] = await alice.read(room.stream, after=said.seq)

        assert (event.ref, event.by) == (said.seq, bob.user.id)
        assert getattr(event.data, "emoji", None) == "👍"


async def test_one_may_follow_what_one_may_read(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, _) = await in_a_room(w, "Alice", "Bob")
        eve = await w.session("Eve")
        refused = [
            (room.stream, NotMember),
            ("room/none", NotFound),
            ("nonsense", NotFound),
            (f"user/{alice.user.id}", hubbub.NotAllowed),
        ]

        for stream, error in refused:
            with pytest.raises(error):
                async with eve.follow(stream, after=0):
                    pytest.fail("she is let in")
            with pytest.raises(error):
                await eve.read(stream)


async def test_after_the_end_is_a_conflict(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, _) = await in_a_room(w, "Alice", "Bob")

        with pytest.raises(Conflict, match="ends at 3, before 99: the history was reset"):
            async with alice.follow(room.stream, after=99):
                pytest.fail("there is no such seq")
        with pytest.raises(Invalid):
            async with alice.follow(room.stream, after=-1):
                pytest.fail("there is no such seq")


async def test_who_is_put_out_sees_everything_up_to_then(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, bob) = await in_a_room(w, "Alice", "Bob")
        async with bob.follow(room.stream, after=0) as events:
            said = await alice.chat.send(room.id, "the last straw")
            await alice.chat.kick(room.id, bob.user.id)
            await alice.chat.send(room.id, "he is gone")
            seen = await take(events, said.seq + 1)
            with pytest.raises(NotMember), anyio.fail_after(PATIENCE):
                await anext(events)

        assert seen[-1].seq == said.seq + 1


async def test_a_user_follows_what_is_about_them(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob = await w.sessions("Alice", "Bob")
        room = await alice.chat.create_room("r", private=True)
        async with bob.follow(f"user/{bob.user.id}") as events:
            await alice.chat.invite(room.id, bob.user.id)
            [event] = await take(events, 1)

        assert event.by == alice.user.id


async def test_one_who_does_not_read_stops_nobody(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, bob) = await in_a_room(w, "Alice", "Bob")
        async with (
            bob.follow(room.stream, after=0) as idle,
            bob.follow(room.stream, after=0) as events,
        ):
            async with anyio.create_task_group() as tasks:
                for n in range(1_500):
                    tasks.start_soon(alice.chat.send, room.id, f"message {n}")
            read = await take(events, 1_503)
            late = await take(idle, 1_503)

        assert [event.seq for event in read] == list(range(1, 1_504))
        assert late == read


async def test_to_cancel_a_follower_is_to_leave(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, bob) = await in_a_room(w, "Alice", "Bob")
        async with bob.follow(room.stream) as events:
            with anyio.move_on_after(0.01) as scope:
                await anext(events)
            said = await alice.chat.send(room.id, "now")
            [event] = await take(events, 1)

        assert scope.cancelled_caught
        assert event.seq == said.seq


async def test_pages_of_events_are_read_one_after_another(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, bob) = await in_a_room(w, "Alice", "Bob")
        for n in range(4):
            await alice.chat.send(room.id, str(n))
        first = await bob.read(room.stream, limit=4)
        rest = await bob.read(room.stream, after=first[-1].seq)

        assert [event.seq for event in [*first, *rest]] == list(range(1, 8))
        assert await bob.read(room.stream, after=99) == []


async def test_typing_is_told_and_not_kept(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, bob) = await in_a_room(w, "Alice", "Bob")
        async with bob.follow(room.stream, after=3) as events:
            await alice.chat.typing(room.id)
            await alice.chat.send(room.id, "done")
            [event] = await take(events, 1)

        assert getattr(event.data, "text", None) == "done"
