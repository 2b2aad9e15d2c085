from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

import hubbub
from hubbub.chat.rooms import commands
from hubbub.errors import Invalid, NotFound
from hubbub.hub import Hubbub
from hubbub.settings import Settings


def count_loads(hub: Hubbub, monkeypatch: pytest.MonkeyPatch, kind: str) -> list[int]:
    """
    Note how many streams of one kind each trip of the loader is for.

    A hub also loads streams by itself after its start, such as its agendas, at any moment.
    """
    trips, load = list[int](), hub.journal._loader._load

    async def counted(names: Iterable[Any]) -> Any:
        names = list(names)
        if found := [name for name in names if isinstance(name, str) and name.startswith(kind)]:
            trips.append(len(found))
        return await load(names)

    monkeypatch.setattr(hub.journal._loader, "_load", counted)
    return trips


async def test_a_page_of_cold_rooms_is_loaded_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "hubbub.db")
    async with hubbub.open(path) as hub, hub.session("ann") as ann:
        made = [(await ann.chat.create_room(f"Room {number}")).id for number in range(12)]

    async with hubbub.open(path) as hub, hub.session("bob") as bob:
        trips = count_loads(hub, monkeypatch, "room/")
        page = await bob.chat.rooms(limit=10)

        assert [room.id for room in page] == made[:10]
        assert trips == [10]


async def test_cold_conversations_are_loaded_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "hubbub.db")
    async with hubbub.open(path) as hub, hub.session("ann") as ann:
        for number in range(10):
            async with hub.session(f"user{number}"):
                await ann.chat.send_direct(f"user{number}", "hello")

    async with hubbub.open(path) as hub, hub.session("ann") as ann:
        trips = count_loads(hub, monkeypatch, "direct/")
        found = await ann.chat.directs()

        assert [room.name for room in found] == [f"user{number}" for number in range(10)]
        assert trips == [10]


async def test_conversations_come_in_pages_the_newest_last() -> None:
    settings = Settings(page_max=3)
    async with hubbub.open("memory://", settings=settings) as hub, hub.session("ann") as ann:
        for name in "bcdef":
            async with hub.session(name):
                await ann.chat.send_direct(name, "hello")
        newest = await ann.chat.directs()
        older = await ann.chat.directs(before=newest[0].id, limit=1)

        assert [room.name for room in newest] == ["d", "e", "f"]
        assert [room.name for room in older] == ["c"]
        with pytest.raises(Invalid):
            await ann.chat.directs(limit=4)
        with pytest.raises(NotFound):
            await ann.chat.directs(before="direct/ann/nobody")


async def test_rooms_are_listed_in_order_whoever_is_in_them() -> None:
    async with hubbub.open("memory://") as hub, hub.session("ann") as ann, hub.session("bob") as b:
        public = await ann.chat.create_room("public")
        private = await ann.chat.create_room("private", private=True)
        closed = await ann.chat.create_room("closed")
        last = await b.chat.create_room("last")
        before = [room.id for room in await ann.chat.rooms()]
        await ann.chat.close_room(closed.id)
        await ann.chat.leave(public.id)
        newest = await b.chat.create_room("newest")

        assert before == [public.id, private.id, closed.id, last.id]
        # A member sees a room that is closed.
        assert [r.id for r in await ann.chat.rooms()] == [*before, newest.id]
        assert [r.id for r in await b.chat.rooms()] == [public.id, last.id, newest.id]
        assert [r.id for r in await b.chat.rooms(after=public.id, limit=1)] == [last.id]
        assert [r.id for r in await ann.chat.rooms(joined=True)] == [private.id, closed.id]
        assert await ann.chat.rooms(after="~") == []
        assert len(await ann.chat.rooms(after="direct/a/b")) == 5


async def test_rooms_of_an_earlier_release_are_listed_until_they_close(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with (
        hubbub.open("memory://") as hub,
        hub.session("ann") as ann,
        hub.session("bob") as bob,
    ):
        monkeypatch.setattr(commands, "stream_shard", lambda stream, about: stream)
        early = await ann.chat.create_room("Early")
        monkeypatch.undo()
        late = await ann.chat.create_room("Late")

        assert [room.id for room in await bob.chat.rooms()] == [early.id, late.id]
        for room in (early, late):
            await ann.chat.close_room(room.id)
        assert await bob.chat.rooms() == []
