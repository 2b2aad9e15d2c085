"""simulate: virtual time, a drawn order, threads inline, deadlocks."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from random import Random

import anyio
import anyio.lowlevel
import pytest

from hubbub.testing.simulation import (
    Deadlock,
    asyncio_loop,
    current_random,
    simulate,
    trio_order,
)
from hubbub.testing.simulation.run import Simulation
from tests.event_loop import Backend


async def an_hour() -> int:
    ticks = 0

    async def tick(number: int) -> None:
        nonlocal ticks
        while True:
            await anyio.sleep(10 + number / 10)
            ticks += 1

    with anyio.move_on_after(3600.01):
        async with anyio.create_task_group() as tasks:
            for number in range(10):
                tasks.start_soon(tick, number)
    return ticks


async def order_of_ten() -> list[int]:
    order: list[int] = []

    async def run(number: int) -> None:
        await anyio.lowlevel.checkpoint()
        order.append(number)

    async with anyio.create_task_group() as tasks:
        for number in range(10):
            tasks.start_soon(run, number)
    return order


def test_an_hour_passes_at_once_and_whole(backend: Backend) -> None:
    began = time.perf_counter()

    assert simulate(an_hour, backend=backend) == sum(
        int(3600.01 / (10 + number / 10)) for number in range(10)
    )
    assert time.perf_counter() - began < 5


def test_without_a_seed_asyncio_keeps_its_order() -> None:
    assert simulate(order_of_ten, backend="asyncio") == list(range(10))


def test_the_same_seed_gives_the_same_order(backend: Backend) -> None:
    first = simulate(order_of_ten, backend=backend, seed=3)

    assert [simulate(order_of_ten, backend=backend, seed=3) for _ in range(5)] == [first] * 5


def test_seeds_give_many_orders(backend: Backend) -> None:
    orders = {tuple(simulate(order_of_ten, backend=backend, seed=seed)) for seed in range(20)}

    assert len(orders) > 15


CANCELLED = """
import anyio, anyio.lowlevel, sys
from hubbub.testing.simulation.run import Simulation

async def many():
    async def work(number):
        try:
            await anyio.sleep(number % 3)
        finally:
            log.append(number)
    log = []
    with anyio.move_on_after(2):
        async with anyio.create_task_group() as tasks:
            for number in range(40):
                tasks.start_soon(work, number)
                await anyio.lowlevel.checkpoint()
    return log

run = Simulation(sys.argv[1], 5)
print(run.run(many), run.choices.trace)
"""


def test_the_same_seed_gives_the_same_run_in_every_process(backend: Backend) -> None:
    runs = set()
    for hash_seed in ("0", "7"):
        command = [sys.executable, "-c", CANCELLED, backend]
        padding = {"PADDING": "x" * 1000 * int(hash_seed)}  # objects get other addresses
        path = {"PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": hash_seed, **padding}
        runs.add(subprocess.run(command, env=path, capture_output=True, check=True).stdout)

    assert len(runs) == 1


def test_a_deadlock_is_told_at_once_with_every_place(backend: Backend) -> None:
    async def wait_for_nobody() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anyio.Event().wait)
            tasks.start_soon(anyio.Lock().acquire)
            await anyio.Event().wait()

    with pytest.raises(Deadlock, match=r"test_run\.py:\d+ .*wait_for_nobody"):
        simulate(wait_for_nobody, backend=backend, seed=1)


def test_a_deadlock_within_a_shield_ends_too() -> None:
    async def shielded() -> None:
        with anyio.CancelScope(shield=True):
            await anyio.Event().wait()

    with pytest.raises(Deadlock):
        simulate(shielded, backend="asyncio", seed=1)


def test_the_error_of_the_function_is_raised(backend: Backend) -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        simulate(fail, backend=backend, seed=1)


def test_time_begins_at_zero_and_timers_are_exact(backend: Backend) -> None:
    async def times() -> list[float]:
        seen = [anyio.current_time()]
        for seconds in (0.1, 3600.0, 86400.0 * 400):
            await anyio.sleep(seconds)
            seen.append(anyio.current_time())
        return seen

    expected = [0.0, 0.1, 0.1 + 3600.0, 0.1 + 3600.0 + 86400.0 * 400]
    assert simulate(times, backend=backend, seed=1) == pytest.approx(expected)


def test_a_thread_of_ones_own_cannot_call_into_asyncio() -> None:
    async def call() -> None:
        loop = __import__("asyncio").get_running_loop()
        errors: list[RuntimeError] = []

        def from_outside() -> None:
            try:
                loop.call_soon_threadsafe(print)
            except RuntimeError as error:
                errors.append(error)

        thread = threading.Thread(target=from_outside)
        thread.start()
        thread.join()
        raise errors[0]

    with pytest.raises(RuntimeError, match="outside of the simulation"):
        simulate(call, backend="asyncio", seed=1)


def test_chance_comes_from_the_seed(backend: Backend) -> None:
    async def draw() -> float:
        return current_random().random()

    drawn = [simulate(draw, backend=backend, seed=seed) for seed in (1, 1, 2)]

    assert drawn[0] == drawn[1] == Random("world 1").random()
    assert drawn[2] != drawn[0]


def test_outside_of_a_simulation_there_is_no_chance() -> None:
    with pytest.raises(RuntimeError, match="No simulation"):
        current_random()


def test_a_script_repeats_a_run(backend: Backend) -> None:
    drawn = Simulation(backend, 3)
    assert drawn.choices is not None
    record = drawn.choices.record = []
    first = drawn.run(order_of_ten)

    assert Simulation(backend, 3, record).run(order_of_ten) == first


def test_zeros_are_the_order_in_which_tasks_were_made(backend: Backend) -> None:
    assert Simulation(backend, 3, []).run(order_of_ten) == list(range(10))


def test_time_passes_for_what_waits_for_less_than_a_float_can_tell(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asyncio_loop, "TURNS_AT_ONCE_MAX", 100)
    monkeypatch.setattr(trio_order, "READINGS_AT_ONCE_MAX", 100)

    async def wait_for_a_later_time() -> float:
        await anyio.sleep(1)
        while anyio.current_time() == 1:  # noqa: ASYNC110  (no event says so)
            await anyio.sleep(1e-20)
        return anyio.current_time()

    assert 1 < simulate(wait_for_a_later_time, backend=backend, seed=1) < 1.001
