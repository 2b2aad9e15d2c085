"""Server-sent events through the two callables of ASGI, by hand: how they wait and end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal

import anyio
import pytest

import hubbub
from hubbub import Settings
from hubbub.journal.live.topic import TAIL_EVENTS_MAX, Topic
from hubbub.server import Gateway, create_app
from hubbub.server.http.sse import END_SECONDS_MAX, PING, PING_SECONDS
from hubbub.server.sends import SEND_SECONDS_MAX
from hubbub.testing import VirtualClock, run_in_virtual_time
from tests.server.running import SETTINGS

Backend = Literal["asyncio", "trio"]

PATIENCE = 5.0


class Browser:
    """The other end of a request: it reads one part after the other, and may go."""

    def __init__(self, gateway: Gateway, method: str = "GET") -> None:
        self.gateway = gateway
        self.method = method
        self.ended = anyio.Event()
        self._gone = anyio.Event()
        self._sends, self._receives = anyio.create_memory_object_stream[dict[str, Any]]()

    async def follow(self, stream: str, after: int | None = None) -> None:
        """Make the request, and stay in it until the answer ends."""
        token = self.gateway.tokens.sign("ann")
        query = f"stream={stream}" + ("" if after is None else f"&after={after}")
        scope = {
            "type": "http", "method": self.method, "path": "/api/events", "root_path": "",
            "scheme": "http", "query_string": query.encode(),
            "headers": [(b"authorization", f"Bearer {token}".encode())],
        }  # fmt: skip
        async with self._sends, self._receives:
            await create_app(self.gateway.hub, gateway=self.gateway)(scope, self._go, self._send)
            self.ended.set()

    async def part(self) -> bytes:
        """Return the next part of the body, none at the end."""
        with anyio.fail_after(PATIENCE + 2 * PING_SECONDS):
            while (message := await self._receives.receive())["type"] == "http.response.start":
                assert message["status"] == 200, message
            return bytes(message["body"])

    async def ids(self, count: int) -> list[int]:
        """Return the ids of the next events."""
        ids: list[int] = []
        while len(ids) < count:
            lines = (await self.part()).splitlines()
            ids += [int(line[4:]) for line in lines if line.startswith(b"id: ")]
        return ids

    def go(self) -> None:
        """Close the connection."""
        self._gone.set()

    async def _go(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        await self._sends.send(message)


@asynccontextmanager
async def a_room(settings: Settings = SETTINGS) -> AsyncIterator[tuple[Gateway, Any, Topic]]:
    """Open a hub with a room of Ann's, and a topic for it."""
    async with hubbub.open("memory://", settings=settings) as hub, hub.session("ann") as ann:
        room = await ann.chat.create_room("Room")
        async with ann.follow(room.stream):
            topic = hub.journal.topic(room.stream)
        assert topic is not None
        yield Gateway(hub), (ann, room), topic


async def test_who_does_not_read_is_not_written_to_and_misses_nothing() -> None:
    count = 2 * TAIL_EVENTS_MAX + 10
    async with a_room() as (gateway, (ann, room), topic), anyio.create_task_group() as tasks:
        browser = Browser(gateway)
        tasks.start_soon(browser.follow, room.stream, 0)
        await browser.part()
        first = await browser.ids(2)
        for number in range(count):
            await ann.chat.send(room.id, str(number))
        [follower] = topic.followers
        behind = follower.cursor
        rest = await browser.ids(count)
        browser.go()

    assert behind < topic.base
    assert first + rest == list(range(1, count + 3))


async def test_who_goes_is_forgotten() -> None:
    async with a_room() as (gateway, (_, room), topic), anyio.create_task_group() as tasks:
        browser = Browser(gateway)
        tasks.start_soon(browser.follow, room.stream)
        await browser.part()
        there = len(gateway.event_streams)
        browser.go()
        await browser.ended.wait()

    assert there == 1
    assert not topic.followers
    assert not gateway.event_streams


async def test_it_ends_when_no_more_commands_are_taken() -> None:
    async with a_room() as (gateway, (_, room), topic), anyio.create_task_group() as tasks:
        browser = Browser(gateway)
        tasks.start_soon(browser.follow, room.stream, 1)
        parts = [await browser.part() for _ in range(2)]
        await gateway.hub.drain()
        parts.append(await browser.part())

    assert parts[1].startswith(b"id: 2\n")
    assert parts[2] == b""
    assert not topic.followers


async def test_a_question_for_the_head_only_is_answered_at_once() -> None:
    async with a_room() as (gateway, (_, room), topic), anyio.create_task_group() as tasks:
        browser = Browser(gateway, "HEAD")
        tasks.start_soon(browser.follow, room.stream, 0)
        part = await browser.part()

    assert part == b""
    assert not topic.followers


async def test_one_too_many_is_refused_until_another_goes() -> None:
    settings = Settings(connections_max=1)
    async with a_room(settings) as (gateway, (_, room), _), anyio.create_task_group() as tasks:
        first, second, third = [Browser(gateway) for _ in range(3)]
        tasks.start_soon(first.follow, room.stream)
        await first.part()
        tasks.start_soon(second.follow, room.stream)
        with pytest.raises(AssertionError, match="503"):
            await second.part()
        # The rest of the refusal.
        await second.part()
        first.go()
        await first.ended.wait()
        tasks.start_soon(third.follow, room.stream)
        part = await third.part()
        third.go()

    assert part.startswith(b": ")


async def test_who_is_refused_is_not_counted() -> None:
    async with a_room() as (gateway, _, _), anyio.create_task_group() as tasks:
        browser = Browser(gateway)
        tasks.start_soon(browser.follow, "room/none")
        with pytest.raises(AssertionError, match="404"):
            await browser.part()
        await browser.part()

    assert not gateway.event_streams


def test_when_nothing_happens_a_comment_is_sent(backend: Backend) -> None:
    async def follow() -> list[tuple[float, bytes]]:
        settings = Settings(clock=VirtualClock())
        parts = []
        async with a_room(settings) as (gateway, (_, room), _), anyio.create_task_group() as tasks:
            browser = Browser(gateway)
            tasks.start_soon(browser.follow, room.stream)
            await browser.part()
            begun = anyio.current_time()
            for _ in range(2):
                part = await browser.part()
                parts.append((anyio.current_time() - begun, part))
            browser.go()
        return parts

    pings = run_in_virtual_time(follow, backend=backend)

    assert [text for _, text in pings] == [PING, PING]
    assert [at for at, _ in pings] == pytest.approx([PING_SECONDS, 2 * PING_SECONDS])


async def seconds_until_it_ends(act: Callable[[Gateway], None]) -> float:
    """Do something to a gateway while a client does not read; return how long it is served."""
    settings = Settings(clock=VirtualClock())
    async with a_room(settings) as (gateway, (_, room), _), anyio.create_task_group() as tasks:
        browser = Browser(gateway)
        tasks.start_soon(browser.follow, room.stream, 0)
        await browser.part()
        began = anyio.current_time()
        act(gateway)
        await browser.ended.wait()
        assert not gateway.event_streams
    return anyio.current_time() - began


def test_a_client_that_stops_reading_is_let_go(backend: Backend) -> None:
    seconds = run_in_virtual_time(seconds_until_it_ends, lambda gateway: None, backend=backend)

    assert seconds == pytest.approx(SEND_SECONDS_MAX, abs=1.1)


def test_a_client_that_reads_slowly_stays(backend: Backend) -> None:
    async def follow() -> list[int]:
        settings = Settings(clock=VirtualClock())
        async with (
            a_room(settings) as (gateway, (ann, room), _),
            anyio.create_task_group() as tasks,
        ):
            browser, ids = Browser(gateway), list[int]()
            tasks.start_soon(browser.follow, room.stream, 0)
            await browser.part()
            for number in range(3):
                ids += await browser.ids(2 if number == 0 else 1)
                await ann.chat.send(room.id, str(number))
                await anyio.sleep(SEND_SECONDS_MAX - 2)
            browser.go()
        return ids

    assert run_in_virtual_time(follow, backend=backend) == [1, 2, 3, 4]


def test_a_client_that_does_not_read_does_not_hold_up_a_server_that_stops(backend: Backend) -> None:
    seconds = run_in_virtual_time(seconds_until_it_ends, Gateway.stop, backend=backend)

    assert seconds == pytest.approx(END_SECONDS_MAX)
