"""Starts tasks from callbacks of the event loop."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from anyio.abc import TaskGroup

from .wake_up import WakeUp

__all__ = ["TaskStarter"]


class TaskStarter:
    """
    Starts the tasks of a task group, from anywhere in its event loop.

    A callback of the event loop is not a task, so it cannot start a task itself.

    Args:
        tasks: the task group.
    """

    def __init__(self, tasks: TaskGroup) -> None:
        self._tasks = tasks
        self._to_start: deque[Callable[[], Coroutine[Any, Any, None]]] = deque()
        self._wake_up = WakeUp()

    def start(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run an async function in a task of the group, soon."""
        self._to_start.append(work)
        self._wake_up.set()

    async def run(self) -> None:
        """Start what comes, until cancelled."""
        while True:
            await self._wake_up.wait()
            while self._to_start:
                self._tasks.start_soon(self._to_start.popleft())
