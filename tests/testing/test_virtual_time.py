from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Literal

import anyio
import pytest
import trio
from anyio import CapacityLimiter, from_thread, to_thread
from anyio.lowlevel import current_token
from hypothesis import given
from hypothesis import strategies as st

import hubbub
from hubbub.testing import EPOCH, THREAD_SECONDS_MAX, VirtualClock, run_in_virtual_time
from hubbub.testing.virtual_time import VirtualLoop

Backend = Literal["asyncio", "trio"]

on_each_backend = pytest.mark.parametrize("backend", ["asyncio", "trio"])


async def elapsed(wait: Callable[[], Awaitable[object]]) -> float:
    start = anyio.current_time()
    await wait()
    return anyio.current_time() - start


@on_each_backend
def test_a_year_passes_at_once(backend: Backend) -> None:
    year = 365 * 24 * 3600.0
    start = time.monotonic()

    passed = run_in_virtual_time(elapsed, lambda: anyio.sleep(year), backend=backend)

    assert passed == pytest.approx(year)
    assert time.monotonic() - start < 10


@on_each_backend
@given(delays=st.lists(st.integers(0, 100), max_size=10, unique=True))
def test_timers_fire_in_their_order(backend: Backend, delays: list[int]) -> None:
    async def fire() -> list[tuple[int, float]]:
        fired: list[tuple[int, float]] = []

        async def wait(delay: int) -> None:
            await anyio.sleep(delay)
            fired.append((delay, anyio.current_time()))

        async with anyio.create_task_group() as tasks:
            for delay in delays:
                tasks.start_soon(wait, delay)
        return fired

    fired = run_in_virtual_time(fire, backend=backend)

    assert [delay for delay, _ in fired] == sorted(delays)
    assert [at for _, at in fired] == pytest.approx(sorted(delays))


@on_each_backend
def test_the_clock_begins_at_the_epoch_and_goes_with_the_loop(backend: Backend) -> None:
    clock = VirtualClock()

    async def read() -> list[tuple[timedelta, float]]:
        first = clock.now() - EPOCH, clock.monotonic()
        await anyio.sleep(90)
        return [first, (clock.now() - EPOCH, clock.monotonic())]

    first, second = run_in_virtual_time(read, backend=backend)

    assert first == (timedelta(0), 0)
    assert second == (timedelta(seconds=90), 90)


@on_each_backend
def test_a_deadline_passes_in_virtual_time(backend: Backend) -> None:
    async def expire() -> bool:
        with anyio.move_on_after(3600) as scope:
            await anyio.sleep_forever()
        return scope.cancelled_caught

    assert run_in_virtual_time(expire, backend=backend)


@on_each_backend
def test_the_work_of_a_thread_takes_no_virtual_time(backend: Backend) -> None:
    async def work() -> float:
        with anyio.fail_after(30):
            return await elapsed(lambda: to_thread.run_sync(time.sleep, 0.05))

    assert run_in_virtual_time(work, backend=backend) == 0


@on_each_backend
def test_a_thread_that_is_stuck_does_not_stop_the_timers(backend: Backend) -> None:
    stuck = threading.Event()
    start = time.monotonic()

    async def work() -> bool:
        with anyio.move_on_after(30) as scope:
            await to_thread.run_sync(stuck.wait, abandon_on_cancel=True)
        stuck.set()
        return scope.cancelled_caught

    assert run_in_virtual_time(work, backend=backend)
    assert THREAD_SECONDS_MAX <= time.monotonic() - start < 10 * THREAD_SECONDS_MAX


@on_each_backend
def test_a_thread_of_any_limiter_takes_no_virtual_time(backend: Backend) -> None:
    async def in_anyio() -> None:
        await to_thread.run_sync(time.sleep, 0.05, limiter=CapacityLimiter(1))

    async def in_the_backend_itself() -> None:
        if backend == "asyncio":
            await asyncio.to_thread(time.sleep, 0.05)
        else:
            await trio.to_thread.run_sync(time.sleep, 0.05, limiter=trio.CapacityLimiter(1))

    async def work() -> list[float]:
        with anyio.fail_after(30):
            return [await elapsed(in_anyio), await elapsed(in_the_backend_itself)]

    assert run_in_virtual_time(work, backend=backend) == [0, 0]


@on_each_backend
def test_an_account_is_created_at_once_in_virtual_time(backend: Backend) -> None:
    async def work() -> float:
        settings = hubbub.Settings(clock=VirtualClock())
        async with (
            hubbub.open("memory://", settings=settings) as hub,
            hub.session("root", role="admin") as root,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(anyio.sleep, 600 * 24 * 3600)
            seconds = await elapsed(lambda: root.users.create_user("Zed", "correct horse"))
            tasks.cancel_scope.cancel()
        return seconds

    assert run_in_virtual_time(work, backend=backend) == 0


@on_each_backend
def test_a_stuck_thread_is_waited_for_once(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hubbub.testing.virtual_time.THREAD_SECONDS_MAX", patience := 0.5)
    stuck = threading.Event()
    start = time.monotonic()

    async def work() -> None:
        with anyio.move_on_after(1):
            await to_thread.run_sync(stuck.wait, abandon_on_cancel=True)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: to_thread.run_sync(stuck.wait))
            for _ in range(50):
                await anyio.sleep(1)
            # Others are waited for as before.
            assert await elapsed(lambda: to_thread.run_sync(time.sleep, 0.05)) == 0
            stuck.set()

    run_in_virtual_time(work, backend=backend)
    assert time.monotonic() - start < 20 * patience


@on_each_backend
@pytest.mark.parametrize("before", [0.0, 1e7])
def test_no_sleep_is_too_short_however_close_another_ends(backend: Backend, before: float) -> None:
    short = []

    async def sleep(seconds: float) -> None:
        until = anyio.current_time() + seconds
        await anyio.sleep(seconds)
        if anyio.current_time() < until:
            short.append(seconds)

    async def work() -> None:
        await anyio.sleep(before)
        seconds = 0.3
        async with anyio.create_task_group() as tasks:
            for number in range(50):
                tasks.start_soon(sleep, seconds)
                tasks.start_soon(sleep, 0.5 + number * 1e-8)
                seconds = math.nextafter(seconds, 1)

    run_in_virtual_time(work, backend=backend)

    assert short == []


@on_each_backend
def test_the_grace_serves_what_the_clock_cannot_see(backend: Backend) -> None:
    async def work() -> float:
        done, token = anyio.Event(), current_token()

        def own_thread() -> None:
            time.sleep(0.05)
            from_thread.run_sync(done.set, token=token)

        with anyio.fail_after(30):
            threading.Thread(target=own_thread).start()
            return await elapsed(done.wait)

    assert run_in_virtual_time(work, backend=backend, grace=2) == 0


@on_each_backend
def test_an_error_reaches_the_caller(backend: Backend) -> None:
    async def fail(message: str) -> None:
        raise ValueError(message)

    with pytest.raises(ValueError, match="told"):
        run_in_virtual_time(fail, "told", backend=backend)


def test_the_loop_serves_as_a_loop_factory() -> None:
    start = time.monotonic()

    options = {"loop_factory": VirtualLoop}
    anyio.run(anyio.sleep, 3600, backend="asyncio", backend_options=options)

    assert time.monotonic() - start < 10
