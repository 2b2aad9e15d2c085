"""Code not written for the simulation: pinned libraries with defects, and naive services."""

from __future__ import annotations

import asyncio

import aiorwlock
import anyio
import pytest
import tricycle

from hubbub.testing.simulation import Deadlock, cancel_everywhere, explore
from tests.event_loop import Backend
from tests.foreign import services
from tests.foreign.case import Case, tried


def test_a_lock_that_a_cancelled_writer_leaves_locked_is_a_deadlock() -> None:
    # aio-libs/aiorwlock#400, fixed in 1.5.1
    async def write_behind_a_reader() -> None:
        lock = aiorwlock.RWLock()

        async def read() -> None:
            async with lock.reader_lock:
                await asyncio.sleep(1)

        async def write() -> None:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(read())
                await asyncio.sleep(0.5)
                async with lock.writer_lock:
                    pass

        async def check(_: bool) -> None:
            async with lock.reader_lock:
                pass

        await cancel_everywhere(write, check=check)

    with pytest.raises(Deadlock, match="acquire_read"):
        explore(write_behind_a_reader, backend="asyncio", seeds=20, shrink=False)


def test_readers_that_nobody_wakes_after_a_writer_gave_up_are_found() -> None:
    async def a_reader_waits_for_the_reader_behind_it() -> None:
        lock, done = tricycle.RWLock(), anyio.Event()

        async def read_until_done() -> None:
            async with lock.read_locked():
                await done.wait()

        async def read() -> None:
            async with lock.read_locked():
                done.set()

        async def write() -> None:
            with anyio.move_on_after(2):
                async with lock.write_locked():
                    pass

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read_until_done)
            await anyio.sleep(1)
            tasks.start_soon(write)
            await anyio.sleep(1)
            tasks.start_soon(read)

    with pytest.raises(Deadlock, match="acquire"):
        explore(a_reader_waits_for_the_reader_behind_it, backend="trio", seeds=20, shrink=False)


@pytest.mark.parametrize("case", services.CASES, ids=lambda case: case.run.__name__)
def test_a_naive_service_fails(case: Case, backend: Backend) -> None:
    assert tried(case, backend).error is not None
