"""Later readers never get deleted texts, in whatever way they ask."""

from __future__ import annotations

import anyio

import hubbub
from hubbub.journal.live.topic import TAIL_EVENTS_MAX
from tests.session.test_rights import in_a_room
from tests.session.worlds import OpenWorld

SECRET = "hunter2"


async def events_of(session: hubbub.Session, stream: str, last: int) -> list[hubbub.Event]:
    """Follow a stream from its beginning up to an event."""
    found = list[hubbub.Event]()
    with anyio.fail_after(10):
        async with session.follow(stream, after=0) as events:
            async for event in events:
                found.append(event)
                if event.seq >= last:
                    break
    return found


async def say_and_delete(session: hubbub.Session, room: hubbub.Room) -> int:
    """Say a secret, edit it, answer it and delete it; return the last seq."""
    said = await session.chat.send(room.id, f"my password is {SECRET}")
    await session.chat.edit(room.id, said.seq, f"it is {SECRET}!")
    await session.chat.send(room.id, "a reply", reply_to=said.seq)
    await session.chat.delete(room.id, said.seq)
    return (await session.chat.send(room.id, "the end")).seq


async def check_unseen(session: hubbub.Session, room: hubbub.Room, last: int) -> None:
    read = await session.read(room.stream, limit=500)
    followed = await events_of(session, room.stream, last)

    assert [event.seq for event in read] == list(range(1, last + 1))
    assert followed == read
    assert SECRET not in str(read)
    assert "a reply" in str(read)
    assert SECRET not in str(await session.chat.history(room.id))
    assert await session.chat.search(room.id, SECRET) == []


async def test_one_who_joins_later_does_not_see_a_deleted_text(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, _) = await in_a_room(w, "Alice", "Bob")
        await say_and_delete(alice, room)
        eve = await w.session("Eve")
        await eve.chat.join(room.id)
        last = (await alice.chat.send(room.id, "hello Eve")).seq

        await check_unseen(eve, room, last)


async def test_a_tail_that_was_live_does_not_tell_it(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, bob) = await in_a_room(w, "Alice", "Bob")
        async with bob.follow(room.stream) as events:
            last = await say_and_delete(alice, room)
            seen = [await anext(events) for _ in range(5)]
            eve = await w.session("Eve")
            await eve.chat.join(room.id)
            followed = await events_of(eve, room.stream, last + 1)

        assert SECRET not in str(followed)
        # A member who was there is told what happened.
        assert [event.data.__struct_config__.tag for event in seen] == [
            *("message", "edited", "message", "deleted", "message")
        ]


async def test_a_deletion_reaches_what_has_left_the_tail(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, bob) = await in_a_room(w, "Alice", "Bob")
        said = await alice.chat.send(room.id, SECRET)
        async with bob.follow(room.stream):
            for _ in range(TAIL_EVENTS_MAX // 512):
                await alice.chat.send(room.id, "x")
            await alice.chat.delete(room.id, said.seq)
            last = (await alice.chat.send(room.id, "a reply")).seq

            await check_unseen(bob, room, last)


async def test_a_conversation_of_two_is_no_different(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob = await w.sessions("Alice", "Bob")
        said = await alice.chat.send_direct(bob.user.id, SECRET)
        [direct] = await bob.chat.directs()
        await alice.chat.delete(direct.id, said.seq)

        assert SECRET not in str(await bob.read(direct.stream))
        assert await bob.chat.unread() == {direct.id: 0}


async def test_a_deleted_message_is_not_unread(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, bob) = await in_a_room(w, "Alice", "Bob")
        first = await alice.chat.send(room.id, "one")
        await alice.chat.send(room.id, "two")
        await alice.chat.edit(room.id, first.seq, "uno")
        before = await bob.chat.unread()
        await alice.chat.delete(room.id, first.seq)

        assert before == {room.id: 2}
        assert await bob.chat.unread() == {room.id: 1}
        assert await alice.chat.unread() == {room.id: 0}


async def test_one_who_was_kicked_has_nothing_unread_there_and_one_who_is_muted_has(
    world: OpenWorld,
) -> None:
    async with world() as w:
        room, (alice, bob, cid) = await in_a_room(w, "Alice", "Bob", "Cid")
        await alice.chat.kick(room.id, bob.user.id)
        await alice.chat.mute(room.id, cid.user.id, 60)
        await alice.chat.send(room.id, "hello")

        assert await bob.chat.unread() == {}
        assert await cid.chat.unread() == {room.id: 1}
