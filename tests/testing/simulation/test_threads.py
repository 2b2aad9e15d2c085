"""The work of threads, in the thread of the simulation."""

from __future__ import annotations

import asyncio
import contextvars
import threading

import anyio
import anyio.lowlevel
import pytest
import trio
from anyio import to_thread

from hubbub.testing.simulation import simulate
from hubbub.testing.simulation.threads import THREAD_SECONDS_MAX
from tests.event_loop import Backend
from tests.testing.simulation import toys

LEFT = contextvars.ContextVar("left", default="")


def test_threads_run_in_the_thread_of_the_simulation(backend: Backend) -> None:
    async def idents() -> set[int]:
        return {await to_thread.run_sync(threading.get_ident) for _ in range(3)}

    assert simulate(idents, backend=backend, seed=1) == {threading.get_ident()}


def test_threads_end_in_a_drawn_order(backend: Backend) -> None:
    failed = 0
    for seed in range(10):
        try:
            simulate(toys.in_threads, backend=backend, seed=seed)
        except AssertionError:
            failed += 1

    assert failed


def test_the_work_of_a_thread_sees_no_event_loop_as_in_a_thread(backend: Backend) -> None:
    def looks() -> str:
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        return "nothing"

    async def asks() -> str:
        return await to_thread.run_sync(looks)

    assert simulate(asks, backend=backend, seed=1) == "nothing"


def test_the_error_of_a_thread_reaches_its_caller(backend: Backend) -> None:
    async def divide() -> float:
        return await to_thread.run_sync(lambda: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        simulate(divide, backend=backend, seed=1)


def test_an_abandoned_thread_does_its_work_all_the_same(backend: Backend) -> None:
    async def abandon() -> list[int]:
        done: list[int] = []
        for number in range(20):
            with anyio.CancelScope() as scope:
                scope.cancel()
                with anyio.CancelScope(shield=True):
                    await anyio.lowlevel.checkpoint()
                await to_thread.run_sync(done.append, number, abandon_on_cancel=True)
        return done

    # The first wait of a call is before the work, so a cancelled scope never begins it.
    assert simulate(abandon, backend=backend, seed=1) == []


def test_a_thread_has_a_copy_of_the_context(backend: Backend) -> None:
    async def set_in_thread() -> str:
        await to_thread.run_sync(LEFT.set, "behind")
        return LEFT.get()

    assert simulate(set_in_thread, backend=backend, seed=1) == ""


def test_threads_of_trio_run_inline_as_well() -> None:
    async def ident() -> int:
        return await trio.to_thread.run_sync(threading.get_ident)

    assert simulate(ident, backend="trio", seed=1) == threading.get_ident()


def test_threads_outside_of_a_simulation_stay_threads(backend: Backend) -> None:
    async def ident() -> int:
        return await to_thread.run_sync(threading.get_ident)

    simulate(ident, backend=backend, seed=1)

    assert anyio.run(ident, backend=backend) != threading.get_ident()


def test_the_work_of_a_thread_takes_a_moment(backend: Backend) -> None:
    async def work() -> float:
        await to_thread.run_sync(lambda: None)
        return anyio.current_time()

    assert 0 < simulate(work, backend=backend, seed=1) <= THREAD_SECONDS_MAX


def test_a_thread_runs_in_no_event_loop(backend: Backend) -> None:
    def look() -> bool:
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        return trio.lowlevel.in_trio_run()

    async def work() -> bool:
        return await to_thread.run_sync(look)

    assert not simulate(work, backend=backend, seed=1)
