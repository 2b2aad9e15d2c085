from __future__ import annotations

import pytest

from hubbub.errors import Conflict, Invalid, KeyReused, NotAllowed, NotAuthor, NotFound, NotMember
from tests.session.test_rights import in_a_room
from tests.session.worlds import OpenWorld


async def test_what_was_said_is_told_to_who_said_it(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, _) = await in_a_room(w, "Alice", "Bob")
        first = await alice.chat.send(room.id, "Hello everyone! 👋")
        reply = await alice.chat.send(room.id, "anyone?", reply_to=first.seq)

        assert (first.stream, first.by, first.text) == (
            room.stream,
            alice.user.id,
            "Hello everyone! 👋",
        )
        assert first.at == w.clock.now()
        assert (first.reply_to, first.edited_at, first.deleted, first.reactions) == (
            None,
            None,
            False,
            {},
        )
        assert (reply.seq, reply.reply_to) == (first.seq + 1, first.seq)


async def test_a_text_has_limits(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, _) = await in_a_room(w, "Alice", "Bob")

        for text in ("", " \n", "x" * 4_001, "a\x00b", "\ud800", "x" * 100_000):
            with pytest.raises(Invalid):
                await alice.chat.send(room.id, text)
        assert (await alice.chat.send(room.id, "x" * 4_000)).text == "x" * 4_000


async def test_one_answers_what_there_is(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, _) = await in_a_room(w, "Alice", "Bob")

        for seq in (1, 99):
            with pytest.raises(NotFound):
                await alice.chat.send(room.id, "what?", reply_to=seq)


async def test_only_members_speak(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, _) = await in_a_room(w, "Alice", "Bob")
        said = await alice.chat.send(room.id, "hello")
        eve = await w.session("Eve")
        calls = [
            eve.chat.send(room.id, "hi"),
            eve.chat.react(room.id, said.seq, "👍"),
            eve.chat.edit(room.id, said.seq, "hi"),
            eve.chat.typing(room.id),
            eve.chat.history(room.id),
            eve.chat.search(room.id, "hello"),
            eve.chat.mark_read(room.id, said.seq),
            eve.read(room.stream),
        ]

        for call in calls:
            with pytest.raises(NotMember, match="join it first"):
                await call


async def test_the_same_key_says_it_once(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, bob) = await in_a_room(w, "Alice", "Bob")
        once = await alice.chat.send(room.id, "hello", key="k")
        twice = await alice.chat.send(room.id, "hello", key="k")
        # A key is one's own.
        other = await bob.chat.send(room.id, "hello", key="k")
        with pytest.raises(KeyReused):
            await alice.chat.send(room.id, "something else", key="k")

        assert once == twice
        assert [m.seq for m in await alice.chat.history(room.id)] == [once.seq, other.seq]


async def test_the_same_key_makes_one_room(world: OpenWorld) -> None:
    async with world() as w:
        alice = await w.session("Alice")
        once = await alice.chat.create_room("r", key="k")
        twice = await alice.chat.create_room("r", key="k")

        assert once == twice
        assert await alice.chat.rooms() == [once]


async def test_without_a_key_the_same_may_be_said_twice(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, _) = await in_a_room(w, "Alice", "Bob")
        said = [await alice.chat.send(room.id, "knock") for _ in range(2)]

        assert await alice.chat.history(room.id) == said


async def test_a_reaction_is_a_set(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, bob) = await in_a_room(w, "Alice", "Bob")
        said = await alice.chat.send(room.id, "hello")
        await bob.chat.react(room.id, said.seq, "❤️")
        await bob.chat.react(room.id, said.seq, "❤️")
        both = await alice.chat.react(room.id, said.seq, "❤️")
        less = await bob.chat.unreact(room.id, said.seq, "❤️")
        none = await bob.chat.unreact(room.id, said.seq, "🎉")

        assert both.reactions == {"❤️": [bob.user.id, alice.user.id]}
        assert less.reactions == none.reactions == {"❤️": [alice.user.id]}


async def test_a_reaction_is_one_emoji(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, _) = await in_a_room(w, "Alice", "Bob")
        said = await alice.chat.send(room.id, "hello")

        for emoji in ("", "x", ":)", "❤️❤️", "1", "heart"):
            with pytest.raises(Invalid):
                await alice.chat.react(room.id, said.seq, emoji)


async def test_only_the_author_edits(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, bob) = await in_a_room(w, "Alice", "Bob")
        said = await bob.chat.send(room.id, "helo")
        w.clock.passed = 5
        edited = await bob.chat.edit(room.id, said.seq, "hello")
        with pytest.raises(NotAuthor):
            await alice.chat.edit(room.id, said.seq, "bye")

        assert (edited.text, edited.at, edited.edited_at) == ("hello", said.at, w.clock.now())
        assert await alice.chat.history(room.id) == [edited]


async def test_authors_and_moderators_delete(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, bob, eve) = await in_a_room(w, "Alice", "Bob", "Eve")
        first, second = [await bob.chat.send(room.id, text) for text in ("one", "two")]
        with pytest.raises(NotAllowed):
            await eve.chat.delete(room.id, first.seq)
        gone = await alice.chat.delete(room.id, first.seq)
        await bob.chat.delete(room.id, second.seq)
        again = await bob.chat.delete(room.id, second.seq)

        assert (gone.deleted, gone.text) == (True, "")
        assert again.deleted
        assert [m.deleted for m in await eve.chat.history(room.id)] == [True, True]


async def test_what_was_deleted_is_not_changed_any_more(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, _) = await in_a_room(w, "Alice", "Bob")
        said = await alice.chat.send(room.id, "hello")
        await alice.chat.delete(room.id, said.seq)

        with pytest.raises(Conflict):
            await alice.chat.edit(room.id, said.seq, "hello again")
        with pytest.raises(Conflict):
            await alice.chat.react(room.id, said.seq, "👍")


async def test_what_is_no_message_cannot_be_changed(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, _) = await in_a_room(w, "Alice", "Bob")

        for seq in (0, 1, 99):
            with pytest.raises(NotFound):
                await alice.chat.react(room.id, seq, "👍")
