"""The cost of a search for other users."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

import hubbub
from hubbub.chat.messages import history
from hubbub.chat.messages.history import SEARCH_PART
from hubbub.journal.reading import SEARCHES_PER_USER_MAX
from hubbub.words import matches


@pytest.fixture(params=["memory", "sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "memory://" if request.param == "memory" else str(tmp_path / "hubbub.db")


def held(work: Callable[..., Any], until: threading.Event) -> Callable[..., Any]:
    def wait(*args: object) -> Any:
        assert until.wait(10), "nobody else came on"
        return work(*args)

    return wait


async def test_others_come_on_while_texts_are_compared(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    others_came_on, found = threading.Event(), list[hubbub.Message]()
    monkeypatch.setattr(history, "matches", held(matches, others_came_on))
    async with hubbub.open(url) as hub, hub.session("ann") as ann, hub.session("bob") as bob:
        room = await ann.chat.create_room("Room")
        await ann.chat.send(room.id, "hello")

        async def search() -> None:
            found.extend(await ann.chat.search(room.id, "hello"))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(search)
            await bob.chat.join(room.id)
            await bob.chat.send(room.id, "hello too")
            others_came_on.set()

    assert "hello" in [message.text for message in found]


async def test_few_searches_run_at_one_time(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    others_came_on, began = threading.Event(), list[object]()

    def wait(*args: Any) -> bool:
        began.append(args)
        assert others_came_on.wait(10)
        return matches(*args)

    monkeypatch.setattr(history, "matches", wait)
    async with hubbub.open(url) as hub, hub.session("ann") as ann:
        room = await ann.chat.create_room("Room")
        await ann.chat.send(room.id, "hello")
        async with anyio.create_task_group() as tasks:
            for _ in range(SEARCHES_PER_USER_MAX + 3):
                tasks.start_soon(ann.chat.search, room.id, "hello")
            await ann.chat.send(room.id, "bye")
            most = len(began)
            others_came_on.set()

    assert most <= SEARCHES_PER_USER_MAX


async def test_a_message_is_found_beyond_many_that_only_look_like_it(url: str) -> None:
    settings = hubbub.Settings(message_limit=10_000)
    async with hubbub.open(url, settings=settings) as hub, hub.session("ann") as ann:
        room = await ann.chat.create_room("Room")
        wanted = await ann.chat.send(room.id, "上海东")
        for _ in range(SEARCH_PART + 1):
            await ann.chat.send(room.id, "上海 海东")

        assert [m.seq for m in await ann.chat.search(room.id, "上海东")] == [wanted.seq]


async def test_deleted_and_former_texts_are_not_found(url: str) -> None:
    async with hubbub.open(url) as hub, hub.session("ann") as ann:
        room = await ann.chat.create_room("Room")
        first = await ann.chat.send(room.id, "apple")
        second = await ann.chat.send(room.id, "apple")
        await ann.chat.edit(room.id, first.seq, "plum")
        await ann.chat.delete(room.id, second.seq)

        assert await ann.chat.search(room.id, "apple") == []
        assert [m.seq for m in await ann.chat.search(room.id, "plum")] == [first.seq]
