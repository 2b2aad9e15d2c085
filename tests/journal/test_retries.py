"""Work that is tried again after a pause."""

from __future__ import annotations

from functools import partial

import anyio

from hubbub.journal.retries import Retries
from hubbub.testing import run_in_virtual_time
from tests.event_loop import Backend


def test_each_name_is_tried_once_after_the_pause(backend: Backend) -> None:
    done = list[tuple[str, float]]()

    async def work(name: str) -> None:
        done.append((name, anyio.current_time() - began))

    async def story() -> None:
        async with anyio.create_task_group() as tasks:
            retries = Retries(work, 5.0, tasks.start_soon)
            retries.later("one")
            await anyio.sleep(1)
            retries.later("one")
            retries.later("two")

    began = 0.0
    run_in_virtual_time(story, backend=backend)

    assert done == [("one", 5.0), ("two", 6.0)]


def test_work_can_ask_for_another_try(backend: Backend) -> None:
    left = 3

    async def work(retries: list[Retries], name: str) -> None:
        nonlocal left
        left -= 1
        if left:
            retries[0].later(name)

    async def story() -> float:
        made = list[Retries]()
        async with anyio.create_task_group() as tasks:
            made.append(Retries(partial(work, made), 5.0, tasks.start_soon))
            made[0].later("one")
        return anyio.current_time()

    assert run_in_virtual_time(story, backend=backend) == 15
    assert left == 0
