"""Events as they are read: in batches, as many as fit, each of them once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from hubbub import Event
from hubbub.chat.events import Said
from hubbub.encryption.following import EVENTS_WAITING_MAX, DecryptedEvents
from hubbub.errors import StorageError
from hubbub.testing import EPOCH


def event(seq: int) -> Event:
    return Event("room/1", seq, EPOCH, "ann", None, Said(f"{seq}"))


class Source(AsyncIterator[Event]):
    """
    Events from a server.

    Args:
        count: how many there are at once.
        error: what comes after them; without, nothing comes.
    """

    def __init__(self, count: int, error: Exception | None = None) -> None:
        self.taken = 0
        self._count = count
        self._error = error

    async def __anext__(self) -> Event:
        if self.taken == self._count:
            if self._error is None:
                await anyio.sleep_forever()
            raise self._error or StopAsyncIteration
        self.taken += 1
        return event(self.taken)


class Reader:
    """Reads batches, and notes them."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.fails: Exception | None = None

    async def read(self, events: Sequence[Event]) -> Sequence[Event]:
        await anyio.lowlevel.checkpoint()
        if self.fails is not None:
            error, self.fails = self.fails, None
            raise error
        self.batches.append([event.seq for event in events])
        return events


async def seqs(events: DecryptedEvents, count: int) -> list[int]:
    return [(await anext(events)).seq for _ in range(count)]


async def test_what_has_come_is_read_in_one_batch() -> None:
    reader = Reader()
    events = DecryptedEvents(Source(5), reader.read)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(events.run)
        await anyio.wait_all_tasks_blocked()

        assert await seqs(events, 5) == [1, 2, 3, 4, 5]
        tasks.cancel_scope.cancel()
    assert reader.batches == [[1, 2, 3, 4, 5]]


async def test_no_more_are_taken_than_may_wait() -> None:
    source, reader = Source(EVENTS_WAITING_MAX * 2), Reader()
    events = DecryptedEvents(source, reader.read)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(events.run)
        await anyio.wait_all_tasks_blocked()
        assert source.taken == EVENTS_WAITING_MAX

        read = await seqs(events, EVENTS_WAITING_MAX * 2)
        assert read == list(range(1, EVENTS_WAITING_MAX * 2 + 1))
        tasks.cancel_scope.cancel()
    assert max(map(len, reader.batches)) == EVENTS_WAITING_MAX


async def test_the_end_of_the_stream_comes_after_its_events() -> None:
    events = DecryptedEvents(Source(3, StopAsyncIteration()), Reader().read)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(events.run)

        assert [one.seq async for one in events] == [1, 2, 3]


async def test_an_error_of_the_stream_comes_after_its_events_and_stays() -> None:
    events = DecryptedEvents(Source(1, StorageError("the disk is full")), Reader().read)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(events.run)

        assert await seqs(events, 1) == [1]
        for _ in range(2):
            with pytest.raises(StorageError, match="full"):
                await anext(events)


async def test_a_batch_that_could_not_be_read_is_read_again() -> None:
    reader = Reader()
    events = DecryptedEvents(Source(3), reader.read)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(events.run)
        await anyio.wait_all_tasks_blocked()
        reader.fails = StorageError("the disk is full")
        with pytest.raises(StorageError):
            await anext(events)

        assert await seqs(events, 3) == [1, 2, 3]
        tasks.cancel_scope.cancel()


async def test_a_reader_who_is_cancelled_misses_nothing() -> None:
    events = DecryptedEvents(Source(3), Reader().read)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(events.run)
        await anyio.wait_all_tasks_blocked()
        with anyio.CancelScope() as scope:
            scope.cancel()
            await anext(events)

        assert await seqs(events, 3) == [1, 2, 3]
        tasks.cancel_scope.cancel()


async def test_what_could_be_read_at_last_comes_as_well() -> None:
    events = DecryptedEvents(Source(0), Reader().read)
    found: list[Any] = []

    async def wait() -> None:
        found.append(await anext(events))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        events.put([event(7)])

    assert found == [event(7)]
