"""Starting tasks from where there is no task."""

from __future__ import annotations

import threading

import anyio
from anyio import from_thread, to_thread

from hubbub.task_starter import TaskStarter


async def test_what_comes_starts_in_its_order() -> None:
    started: list[int] = []

    async with anyio.create_task_group() as tasks:
        starter = TaskStarter(tasks)
        tasks.start_soon(starter.run)

        async def note(number: int) -> None:
            started.append(number)

        for number in range(3):
            starter.start(lambda number=number: note(number))  # type: ignore[misc]
        await anyio.wait_all_tasks_blocked()
        starter.start(lambda: note(3))
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()

    # Tasks that start together run in any order on trio.
    assert sorted(started[:3]) == [0, 1, 2]
    assert started[3:] == [3]


async def test_a_callback_can_start_a_task() -> None:
    ran_in: list[int] = []
    done = anyio.Event()

    async def work() -> None:
        ran_in.append(threading.get_ident())
        done.set()

    async with anyio.create_task_group() as tasks:
        starter = TaskStarter(tasks)
        tasks.start_soon(starter.run)
        # The event loop runs the function itself: no task does.
        await to_thread.run_sync(from_thread.run_sync, starter.start, work)
        with anyio.fail_after(5):
            await done.wait()
        tasks.cancel_scope.cancel()

    assert ran_in == [threading.get_ident()]
