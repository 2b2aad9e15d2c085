"""The selector calls all connections, and a failure of one ends only that one."""

from __future__ import annotations

import logging
import os
import selectors
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from selectors import EVENT_READ, EVENT_WRITE

import anyio
import pytest

from hubbub.server.selector import Selector

PATIENCE = 5.0


class Line:
    """A connection that notes what it reads, and its other end."""

    def __init__(self, selector: Selector) -> None:
        self._selector = selector
        self._own, self.client = socket.socketpair()
        self._own.setblocking(False)
        self.fd = self._own.fileno()
        self.heard = b""
        self.calls = 0
        self.lost = False
        self.then: Callable[[], None] = lambda: None
        selector.watch(self, EVENT_READ)

    def ready(self, events: int) -> None:
        """Read one byte."""
        self.calls += 1
        if events & EVENT_READ:
            self.heard += os.read(self.fd, 1)
        self.then()

    def connection_lost(self) -> None:
        """Close."""
        self.lost = True
        self._selector.discard(self)
        self._own.close()


@pytest.fixture(autouse=True, params=[selectors.DefaultSelector, selectors.SelectSelector])
def _kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the best of the system, and what Windows has."""
    monkeypatch.setattr(selectors, "DefaultSelector", request.param)


@asynccontextmanager
async def selecting() -> AsyncIterator[Selector]:
    async with anyio.create_task_group() as tasks:
        selector = Selector()
        tasks.start_soon(selector.run)
        yield selector
        tasks.cancel_scope.cancel()


@contextmanager
def lines(selector: Selector, count: int) -> Iterator[list[Line]]:
    made = [Line(selector) for _ in range(count)]
    try:
        yield made
    finally:
        for line in made:
            line.client.close()


async def until(true: Callable[[], object]) -> None:
    """Wait for something that no event tells."""
    with anyio.fail_after(PATIENCE):
        while not true():
            await anyio.lowlevel.checkpoint()


async def test_each_connection_is_called_for_its_own_bytes() -> None:
    async with selecting() as selector:
        with lines(selector, 3) as [first, second, third]:
            first.client.send(b"one")
            third.client.send(b"three")
            await until(lambda: (first.heard, third.heard) == (b"one", b"three"))

            assert second.calls == 0


async def test_a_failure_ends_one_connection_and_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail() -> None:
        raise RuntimeError("a fault")

    async with selecting() as selector:
        with lines(selector, 2) as [good, bad]:
            bad.then = fail
            bad.client.send(b"more than one byte")
            good.client.send(b"good")
            await until(lambda: bad.lost and good.heard == b"good")

            assert not good.lost
    assert bad.calls == 1
    assert len([one for one in caplog.records if one.levelno >= logging.ERROR]) == 1


async def test_a_paused_connection_is_not_called_until_it_reads_again() -> None:
    async with selecting() as selector:
        with lines(selector, 2) as [paused, other]:
            selector.watch(paused, 0)
            paused.client.send(b"late")
            paused.client.shutdown(socket.SHUT_WR)
            other.client.send(b"now")
            await until(lambda: other.heard == b"now")
            assert paused.calls == 0

            selector.watch(paused, EVENT_READ)
            await until(lambda: paused.heard == b"late")


async def test_the_first_of_a_turn_can_pause_the_others() -> None:
    async with selecting() as selector:
        with lines(selector, 5) as several:

            def pause_others() -> None:
                for line in several:
                    if not line.calls:
                        selector.watch(line, 0)

            for line in several:
                line.then = pause_others
                line.client.send(b"a")
            await until(lambda: any(line.calls for line in several))
            await anyio.lowlevel.checkpoint()

            assert sum(line.calls for line in several) == 1


async def test_a_connection_is_called_when_it_can_write() -> None:
    async with selecting() as selector:
        with lines(selector, 1) as [line]:
            line.then = lambda: selector.watch(line, EVENT_READ)
            selector.watch(line, EVENT_READ | EVENT_WRITE)
            await until(lambda: line.calls)
            await anyio.lowlevel.checkpoint()

            assert (line.calls, line.heard) == (1, b"")


async def test_when_it_is_cancelled_every_connection_is_closed() -> None:
    async with selecting() as selector:
        with lines(selector, 3) as several:
            selector.watch(several[0], 0)
            several[1].client.send(b"a")
        assert not several[2].lost

    assert all(line.lost for line in several)


async def test_it_tells_when_no_connection_is_open() -> None:
    async with selecting() as selector:
        with lines(selector, 2) as several:
            several[0].connection_lost()
            with anyio.move_on_after(0.01) as waiting:
                await selector.until_none()
            assert waiting.cancelled_caught

            several[1].connection_lost()
            with anyio.fail_after(PATIENCE):
                await selector.until_none()
