"""History, search and what is unread."""

from __future__ import annotations

import pytest

import hubbub
from hubbub.errors import Invalid, NotFound
from tests.session.test_rights import in_a_room
from tests.session.worlds import OpenWorld


async def say(session: hubbub.Session, room: hubbub.Room, count: int) -> list[int]:
    """Say something so often; return the seqs."""
    return [(await session.chat.send(room.id, f"message {n}")).seq for n in range(count)]


async def test_the_newest_messages_come_oldest_first(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, bob) = await in_a_room(w, "Alice", "Bob")
        seqs = await say(alice, room, 5)

        assert [m.seq for m in await bob.chat.history(room.id)] == seqs
        assert [m.seq for m in await bob.chat.history(room.id, limit=2)] == seqs[-2:]


async def test_pages_are_beside_a_seq(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, bob) = await in_a_room(w, "Alice", "Bob")
        seqs = await say(alice, room, 6)

        async def page(**beside: int) -> list[int]:
            return [m.seq for m in await bob.chat.history(room.id, limit=2, **beside)]

        assert await page(before=seqs[3]) == seqs[1:3]
        assert await page(after=seqs[3]) == seqs[4:6]
        assert await page(after=0) == seqs[:2]
        assert await page(after=seqs[0], before=seqs[4]) == seqs[2:4]
        assert await page(after=seqs[-1]) == []
        assert await page(before=seqs[0]) == []


async def test_a_page_shows_messages_as_they_are_now(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, bob) = await in_a_room(w, "Alice", "Bob")
        first, second, third = await say(alice, room, 3)
        await alice.chat.edit(room.id, first, "edited")
        await bob.chat.react(room.id, second, "🎉")
        await alice.chat.delete(room.id, third)
        page = await bob.chat.history(room.id, before=third + 1)

        assert [m.text for m in page] == ["edited", "message 1", ""]
        assert page[1].reactions == {"🎉": [bob.user.id]}
        assert page[2].deleted


async def test_a_page_has_limits(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, _) = await in_a_room(w, "Alice", "Bob")

        for limit in (0, -1, 501):
            with pytest.raises(Invalid):
                await alice.chat.history(room.id, limit=limit)
            with pytest.raises(Invalid):
                await alice.chat.search(room.id, "x", limit=limit)
            with pytest.raises(Invalid):
                await alice.chat.rooms(limit=limit)
            with pytest.raises(Invalid):
                await alice.read(room.stream, limit=limit)
        with pytest.raises(Invalid):
            await alice.chat.history(room.id, before=-1)
        with pytest.raises(Invalid):
            await alice.read(room.stream, after=-1)


async def test_search_finds_words_whatever_their_case_and_accents(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, bob) = await in_a_room(w, "Alice", "Bob")
        texts = ("The café is open", "Cafeteria closed", "Tea for two")
        seqs = [(await alice.chat.send(room.id, text)).seq for text in texts]

        async def found(text: str, limit: int = 20) -> list[int]:
            return [m.seq for m in await bob.chat.search(room.id, text, limit=limit)]

        assert await found("CAFE") == [seqs[1], seqs[0]]
        assert await found("open cafe") == [seqs[0]]
        assert await found("t", limit=1) == [seqs[2]]
        assert await found("coffee") == []
        for text in (" … ", "a" * 64_000, " ".join(map(str, range(100)))):
            with pytest.raises(Invalid):
                await bob.chat.search(room.id, text)


async def test_search_finds_texts_of_every_script(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, bob) = await in_a_room(w, "Alice", "Bob")
        texts = ("我家在上海东边。", "ฉันอยู่ที่บ้าน", "हिन्दी", "so 😀", "ｆｕｌｌ", "上山 下海")  # noqa: RUF001
        seqs = [(await alice.chat.send(room.id, text)).seq for text in texts]

        async def found(text: str) -> list[int]:
            return [seqs.index(m.seq) for m in await bob.chat.search(room.id, text)]

        assert await found("上海") == [0]
        assert await found("上海东边") == [0]
        assert await found("บ้าน") == [1]
        assert await found("हिन्दी") == [2]
        assert await found("हनद") == []
        assert await found("😀") == [3]
        assert await found("full") == [4]
        assert await found("上") == [5, 0]


async def test_search_knows_what_a_message_says_now(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, bob) = await in_a_room(w, "Alice", "Bob")
        first, second = await say(alice, room, 2)
        await alice.chat.edit(room.id, first, "apples")
        await alice.chat.delete(room.id, second)

        assert [m.seq for m in await bob.chat.search(room.id, "apple")] == [first]
        assert await bob.chat.search(room.id, "message") == []


async def test_what_others_said_is_unread_until_it_is_marked(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, bob) = await in_a_room(w, "Alice", "Bob")
        seqs = await say(alice, room, 3)
        await bob.chat.send(room.id, "my own")
        before = await bob.chat.unread()
        await bob.chat.mark_read(room.id, seqs[1])
        marked = await bob.chat.unread()
        # A mark never goes back.
        await bob.chat.mark_read(room.id, seqs[0])

        assert before == {room.id: 3}
        assert marked == await bob.chat.unread() == {room.id: 1}
        assert await alice.chat.unread() == {room.id: 1}


async def test_one_marks_what_there_is(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, _) = await in_a_room(w, "Alice", "Bob")

        for seq in (-1, 99):
            with pytest.raises(NotFound):
                await alice.chat.mark_read(room.id, seq)


async def test_unread_counts_conversations_too_and_rooms_one_is_in(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, bob) = await in_a_room(w, "Alice", "Bob")
        await alice.chat.send(room.id, "hello")
        await alice.chat.send_direct(bob.user.id, "psst")
        await bob.chat.leave(room.id)
        [direct] = await bob.chat.directs()

        assert await bob.chat.unread() == {direct.id: 1}
