from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from hubbub.errors import Invalid, NotAllowed, NotFound, NotMember
from tests.session.worlds import OpenWorld


async def test_a_room_begins_with_its_creator_in_it(world: OpenWorld) -> None:
    async with world() as w:
        alice = await w.session("Alice")
        room = await alice.chat.create_room("  Python Chat ")

        assert room.name == "Python Chat"
        assert room.stream == f"room/{room.id}"
        assert (room.creator, room.members) == (alice.user.id, [alice.user.id])
        assert room.roles == {alice.user.id: "creator"}
        assert room.created_at == w.clock.now()
        assert not room.private


async def test_to_join_twice_is_to_join_once(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob = await w.sessions("Alice", "Bob")
        room = await alice.chat.create_room("r")
        once = await bob.chat.join(room.id)
        twice = await bob.chat.join(room.id)
        events = await bob.read(room.stream)

        assert once == twice
        assert once.members == [alice.user.id, bob.user.id]
        assert once.roles[bob.user.id] == "member"
        assert [type(event.data).__name__ for event in events] == ["Created", "Joined", "Joined"]


async def test_who_left_is_no_member_and_may_come_back(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob = await w.sessions("Alice", "Bob")
        room = await alice.chat.create_room("r")
        await bob.chat.join(room.id)
        await bob.chat.leave(room.id)

        with pytest.raises(NotMember, match="join it first"):
            await bob.chat.send(room.id, "still here?")
        assert bob.user.id in (await bob.chat.join(room.id)).members


async def test_a_creator_who_comes_back_is_the_creator(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob = await w.sessions("Alice", "Bob")
        room = await alice.chat.create_room("r")
        await bob.chat.join(room.id)
        await alice.chat.leave(room.id)

        assert (await alice.chat.join(room.id)).roles[alice.user.id] == "creator"


async def test_rooms_are_listed_page_by_page_the_oldest_first(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob = await w.sessions("Alice", "Bob")
        made = [await alice.chat.create_room(name) for name in "abc"]
        first = await bob.chat.rooms(limit=2)
        rest = await bob.chat.rooms(after=first[-1].id, limit=2)

        assert [room.id for room in [*first, *rest]] == [room.id for room in made]


async def test_ones_own_rooms_are_listed_alone(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob = await w.sessions("Alice", "Bob")
        theirs, ours = [await alice.chat.create_room(name) for name in ("theirs", "ours")]
        await bob.chat.join(ours.id)

        assert [room.id for room in await bob.chat.rooms(joined=True)] == [ours.id]
        assert await bob.chat.rooms(joined=True, after=ours.id) == []
        assert [room.id for room in await bob.chat.rooms()] == [theirs.id, ours.id]


async def test_a_private_room_is_for_those_who_are_invited(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob, eve = await w.sessions("Alice", "Bob", "Eve")
        room = await alice.chat.create_room("secret", private=True)
        await alice.chat.invite(room.id, bob.user.id)
        with pytest.raises(NotAllowed, match="private"):
            await eve.chat.join(room.id)
        joined = await bob.chat.join(room.id)

        assert joined.private
        assert [r.id for r in await bob.chat.rooms()] == [room.id]
        assert await eve.chat.rooms() == []


async def test_only_members_invite_and_only_whom_there_is(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob = await w.sessions("Alice", "Bob")
        room = await alice.chat.create_room("r", private=True)

        with pytest.raises(NotMember):
            await bob.chat.invite(room.id, bob.user.id)
        with pytest.raises(NotFound, match="no user 'nobody'"):
            await alice.chat.invite(room.id, "nobody")


async def test_a_room_that_there_is_not_is_not_found(world: OpenWorld) -> None:
    async with world() as w:
        alice = await w.session("Alice")
        chat = alice.chat
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: chat.join("none"),
            lambda: chat.leave("none"),
            lambda: chat.send("none", "hello"),
            lambda: chat.history("none"),
            lambda: chat.search("none", "hello"),
            lambda: chat.typing("none"),
            lambda: chat.mark_read("none", 1),
            lambda: chat.react("none", 1, "👍"),
        ]

        for call in calls:
            with pytest.raises(NotFound, match="This room does not exist"):
                await call()


async def test_a_rooms_name_has_limits(world: OpenWorld) -> None:
    async with world() as w:
        alice = await w.session("Alice")

        for name in ("", "   ", "x" * 101, "two\nlines", "\ud800"):
            with pytest.raises(Invalid):
                await alice.chat.create_room(name)


async def test_an_argument_of_another_type_is_invalid(world: OpenWorld) -> None:
    async with world() as w:
        alice = await w.session("Alice")
        room = await alice.chat.create_room("r")
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: alice.chat.send(room.id, 5),  # type: ignore[arg-type]
            lambda: alice.chat.send(5, "hello"),  # type: ignore[arg-type]
            lambda: alice.chat.history(room.id, limit="x"),  # type: ignore[arg-type]
            lambda: alice.chat.react(room.id, "first", "👍"),  # type: ignore[arg-type]
            lambda: alice.chat.send(room.id, object()),  # type: ignore[arg-type]
        ]

        for call in calls:
            with pytest.raises(Invalid):
                await call()
        with pytest.raises(TypeError):
            await alice.chat.send(room.id)  # type: ignore[call-arg]
