"""The loop of asyncio: what asyncio promises stays."""

from __future__ import annotations

import asyncio

import pytest

from hubbub.testing.simulation import simulate


@pytest.mark.parametrize("seed", range(20))
def test_callbacks_run_in_the_order_in_which_they_were_scheduled(seed: int) -> None:
    async def schedule() -> list[int]:
        ran: list[int] = []
        loop = asyncio.get_running_loop()
        for number in range(20):
            loop.call_soon(ran.append, number)
            if number % 3 == 0:
                await asyncio.sleep(0)
        await asyncio.sleep(1)
        return ran

    assert simulate(schedule, backend="asyncio", seed=seed) == list(range(20))


def test_an_executor_runs_in_the_thread_of_the_loop() -> None:
    async def use() -> list[int]:
        loop = asyncio.get_running_loop()
        return list(await asyncio.gather(*(loop.run_in_executor(None, abs, -n) for n in range(3))))

    assert simulate(use, backend="asyncio", seed=1) == [0, 1, 2]


def test_tasks_of_asyncio_itself_are_drawn_too() -> None:
    async def order() -> tuple[int, ...]:
        ran: list[int] = []

        async def run(number: int) -> None:
            await asyncio.sleep(0)
            ran.append(number)

        async with asyncio.TaskGroup() as tasks:
            for number in range(5):
                tasks.create_task(run(number))
        return tuple(ran)

    assert len({simulate(order, backend="asyncio", seed=seed) for seed in range(20)}) > 10
