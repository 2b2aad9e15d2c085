"""Streams of values: none is lost or doubled, and nothing runs on after the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiostream
import anyio
import trio
import trio_util

from hubbub.testing.simulation import cancel_everywhere, current_random

from .case import ASYNCIO, TRIO, Case
from .giving_up import eighths

__all__ = ["CASES"]


class Exchange:
    """Three tasks that send, and two that receive, all of which give up at times."""

    def __init__(self) -> None:
        self.random = current_random()
        self.tried: list[tuple[int, int]] = []
        self.sent: list[tuple[int, int]] = []
        self.taken: list[tuple[int, int]] = []

    async def produce(self, number: int, stream: Any) -> None:
        """Send three items."""
        async with stream:
            for item in range(3):
                self.tried.append((number, item))
                with anyio.move_on_after(eighths(self.random, 0.5)):
                    await stream.send((number, item))
                    self.sent.append((number, item))

    async def consume(self, stream: Any) -> None:
        """Receive, until nothing more comes."""
        async with stream:
            while True:
                with anyio.move_on_after(eighths(self.random, 0.25)):
                    try:
                        self.taken.append(await stream.receive())
                    except (anyio.EndOfStream, trio.EndOfChannel):
                        return
                await anyio.sleep(eighths(self.random, 0.25))

    async def run(self, send: Any, receive: Any) -> None:
        """Exchange all items."""
        async with anyio.create_task_group() as tasks, send, receive:
            for number in range(3):
                tasks.start_soon(self.produce, number, send.clone())
            for _ in range(2):
                tasks.start_soon(self.consume, receive.clone())


async def anyio_stream_loses_nothing() -> None:
    exchange = Exchange()
    await exchange.run(*anyio.create_memory_object_stream[Any](1))
    assert len(set(exchange.taken)) == len(exchange.taken)
    assert set(exchange.sent) <= set(exchange.taken) <= set(exchange.tried)


async def anyio_cancelled_sends_send_nothing() -> None:
    exchange = Exchange()
    await exchange.run(*anyio.create_memory_object_stream[Any](1))
    assert sorted(exchange.sent) == sorted(exchange.taken)


async def trio_cancelled_sends_send_nothing() -> None:
    exchange = Exchange()
    await exchange.run(*trio.open_memory_channel[Any](1))
    assert sorted(exchange.sent) == sorted(exchange.taken)


async def trio_util_ends_with_the_last_state() -> None:
    random = current_random()
    changed: Any = trio_util.RepeatedEvent()
    state = seen = 0

    async def listen() -> None:
        nonlocal seen
        async for _ in changed.events(repeat_last=True):
            now = state
            await trio.sleep(eighths(random, 0.5))
            seen = now

    async with trio.open_nursery() as tasks:
        tasks.start_soon(listen)
        for _ in range(5):
            await trio.sleep(eighths(random, 0.5))
            state += 1
            changed.set()
        await trio.sleep(10)
        tasks.cancel_scope.cancel()
    assert seen == state


async def aiostream_merges_everything() -> None:
    random = current_random()

    async def three(number: int) -> AsyncIterator[tuple[int, int]]:
        for item in range(3):
            await asyncio.sleep(eighths(random, 0.5))
            yield number, item

    async def merge() -> None:
        merged: Any = aiostream.stream.merge(three(0), three(1))
        async with merged.stream() as items:
            assert sorted([item async for item in items]) == [
                (number, item) for number in range(2) for item in range(3)
            ]

    await cancel_everywhere(merge)


async def aiostream_leaves_nothing_running() -> None:
    running = 0

    async def work(number: int) -> int:
        nonlocal running
        running += 1
        assert running <= 2
        try:
            await asyncio.sleep(0.5)
        finally:
            running -= 1
        return number

    async def run() -> None:
        works: Any = aiostream.stream.map(aiostream.stream.range(5), work, task_limit=2)
        async with works.stream() as results:
            assert [result async for result in results] == list(range(5))

    async def check(_: bool) -> None:
        assert running == 0

    await cancel_everywhere(run, check=check)


CASES = [
    Case("anyio", "a memory object stream loses nothing", anyio_stream_loses_nothing),
    Case(
        "anyio",
        "a cancelled `send` of a memory object stream has sent nothing",
        anyio_cancelled_sends_send_nothing,
        breaks="an item can be received between the cancellation of its sender and its end",
    ),
    Case(
        "trio",
        "a cancelled `send` of a memory channel has sent nothing",
        trio_cancelled_sends_send_nothing,
        TRIO,
    ),
    Case(
        "trio-util",
        "`RepeatedEvent.events` ends with the last state",
        trio_util_ends_with_the_last_state,
        TRIO,
    ),
    Case("aiostream", "`merge` loses nothing", aiostream_merges_everything, ASYNCIO, seeds=20),
    Case(
        "aiostream",
        "`map` keeps its limit, and nothing runs on",
        aiostream_leaves_nothing_running,
        ASYNCIO,
        seeds=20,
    ),
]
