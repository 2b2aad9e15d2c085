"""Where tasks wait."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

import anyio
import anyio.lowlevel

from hubbub.testing.simulation import waiting_places


async def wait_here(event: anyio.Event) -> None:
    await event.wait()


async def test_every_task_is_listed_with_its_place() -> None:
    event = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait_here, event, name="a waiter")
        await anyio.wait_all_tasks_blocked()
        places = waiting_places()
        event.set()

    (place,) = [place for place in places if place.startswith("a waiter")]
    assert "test_waiting.py" in place
    assert "wait_here, in Event.wait" in place


async def test_a_place_inside_of_an_async_generator_is_found() -> None:
    event = anyio.Event()

    async def numbers() -> AsyncIterator[int]:
        yield 1
        await wait_here(event)

    async def read() -> None:
        async with aclosing(numbers()) as each:  # type: ignore[type-var]
            async for _ in each:
                pass

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read, name="a reader")
        await anyio.wait_all_tasks_blocked()
        places = waiting_places()
        event.set()

    assert "wait_here, in Event.wait" in next(p for p in places if p.startswith("a reader"))


async def test_a_task_that_has_not_begun_says_so() -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(anyio.lowlevel.checkpoint, name="a new task")
        places = waiting_places()

    assert any(place.startswith("a new task: ") for place in places)
