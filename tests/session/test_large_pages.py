"""A page of very long messages has fewer of them; asking on gives them all."""

from __future__ import annotations

from hubbub import Settings
from tests.session.worlds import OpenWorld

TEXT = "x" * 3_000
COUNT = 20
SETTINGS = Settings(message_limit=1_000, page_bytes_max=10_000)


async def test_history_goes_on_where_a_large_page_ended(world: OpenWorld) -> None:
    async with world(SETTINGS) as w:
        ann = await w.session("ann")
        room = await ann.chat.create_room("Room")
        sent = [(await ann.chat.send(room.id, TEXT)).seq for _ in range(COUNT)]
        backward: list[int] = []
        before = None
        while page := await ann.chat.history(room.id, before=before, limit=COUNT):
            assert len(page) < COUNT
            before = page[0].seq
            backward = [message.seq for message in page] + backward
        forward: list[int] = []
        while page := await ann.chat.history(room.id, after=max(forward, default=0), limit=COUNT):
            assert len(page) < COUNT
            forward += [message.seq for message in page]

    assert backward == forward == sent


async def test_a_stream_is_read_on_where_a_large_page_ended(world: OpenWorld) -> None:
    async with world(SETTINGS) as w:
        ann = await w.session("ann")
        room = await ann.chat.create_room("Room")
        for _ in range(COUNT):
            await ann.chat.send(room.id, TEXT)
        read: list[int] = []
        while page := await ann.read(room.stream, after=len(read), limit=COUNT):
            read += [event.seq for event in page]

    assert read == list(range(1, COUNT + 3))


async def test_a_search_finds_fewer_large_messages(world: OpenWorld) -> None:
    async with world(SETTINGS) as w:
        ann = await w.session("ann")
        room = await ann.chat.create_room("Room")
        for number in range(COUNT):
            await ann.chat.send(room.id, f"word {number} {TEXT}")
        found = await ann.chat.search(room.id, "word", limit=COUNT)

    assert found[0].text.startswith(f"word {COUNT - 1} ")
