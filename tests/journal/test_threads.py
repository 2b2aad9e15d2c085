from __future__ import annotations

import threading
import time

import anyio
import pytest
from anyio import CapacityLimiter, to_thread

from hubbub.errors import StorageError
from hubbub.journal.threads import LateWork, Run, Threads
from tests.journal.troubled import Gate


async def test_work_runs_in_another_thread_and_returns() -> None:
    assert await Threads(1).run(threading.get_ident) != threading.get_ident()
    assert await Threads(1).run(max, 1, 2) == 2


async def test_an_error_comes_out_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        await Threads(1).run(divmod, 1, 0)
    with pytest.raises(ZeroDivisionError):
        await Threads(1).run_until(5, divmod, 1, 0)


async def test_the_applications_busy_threads_hold_nothing_up() -> None:
    everybody, gate = to_thread.current_default_thread_limiter(), Gate(is_open=False)
    async with anyio.create_task_group() as tasks:
        for _ in range(int(everybody.total_tokens)):
            tasks.start_soon(to_thread.run_sync, gate.go_through)
        await anyio.wait_all_tasks_blocked()
        with anyio.fail_after(5):
            found = await Threads(1).run_until(5, max, 1, 2)
        gate.open()

    assert found == 2


async def test_what_runs_is_counted_where_virtual_time_looks() -> None:
    everybody, threads, counted = to_thread.current_default_thread_limiter(), Threads(2), []

    def look() -> None:
        counted.append(everybody.borrowed_tokens)

    await threads.run(look)

    assert counted == [1]
    assert everybody.borrowed_tokens == 0


async def test_a_thread_that_is_late_is_told_of_and_its_outcome_is_known_later() -> None:
    gate = Gate(is_open=False)
    with pytest.raises(LateWork) as late:
        await Threads(1).run_until(0.2, gate.go_through)
    gate.open()
    await to_thread.run_sync(late.value.run.ended.wait)

    assert late.value.run.outcome() is None


async def test_work_that_no_thread_has_begun_is_never_done() -> None:
    threads, gate, done = Threads(1), Gate(is_open=False), list[int]()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(threads.run, gate.go_through)
        await gate.reached()
        with pytest.raises(StorageError, match="no free thread"):
            await threads.run_until(0.01, done.append, 1)
        gate.open()
    await threads.run(time.sleep, 0)

    assert done == []


async def test_only_the_deadline_ends_the_wait() -> None:
    gate = Gate(is_open=False)
    with anyio.CancelScope() as scope:
        scope.cancel()
        with pytest.raises(LateWork):
            await Threads(1).run_until(0.2, gate.go_through)
    gate.open()


async def test_no_more_run_at_one_time_than_are_allowed() -> None:
    threads, running, most = Threads(2), 0, 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.005)
        with lock:
            running -= 1

    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(threads.run, work)

    assert most == 2


def test_a_run_is_claimed_once() -> None:
    done: list[int] = []
    run = Run(done.append, (1,))

    assert run.claim()
    assert not run.claim()

    run()
    assert done == []


async def test_a_limiter_that_is_full_is_not_waited_for() -> None:
    everybody = to_thread.current_default_thread_limiter()
    before = everybody.total_tokens
    everybody.total_tokens = 1
    async with CapacityLimiter(1), anyio.create_task_group():
        await everybody.acquire_on_behalf_of("the application")
        with anyio.fail_after(5):
            assert await Threads(1).run(max, 1, 2) == 2
        everybody.release_on_behalf_of("the application")
    everybody.total_tokens = before
