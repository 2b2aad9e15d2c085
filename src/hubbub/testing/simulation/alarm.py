"""
A wait for a time that can change while you wait.

``anyio.CancelScope`` with a deadline could do the same, at several times the cost: an exception is
thrown through the task each time. A simulated network waits so for every delivery.
"""

from __future__ import annotations

import asyncio
import math
from typing import Protocol

import trio

__all__ = ["Alarm", "alarm"]


class Alarm(Protocol):
    """Wakes one task."""

    async def wait(self, at: float) -> None:
        """Wait until a time of the event loop, or until it is woken."""

    def move(self, at: float) -> None:
        """Change the time, if a task waits."""

    def wake(self) -> None:
        """Wake the task now, if it waits."""


def alarm() -> Alarm:
    """Return an alarm for the event loop that runs."""
    return _TrioAlarm() if trio.lowlevel.in_trio_task() else _AsyncioAlarm()


class _AsyncioAlarm:
    __slots__ = ("_future", "_timer")

    def __init__(self) -> None:
        self._future: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def wait(self, at: float) -> None:
        self._future = asyncio.get_running_loop().create_future()
        try:
            self.move(at)
            await self._future
        finally:
            self._future = None
            self._stop_timer()

    def move(self, at: float) -> None:
        if self._future is not None:
            self._stop_timer()
            if at != math.inf:
                self._timer = self._future.get_loop().call_at(at, self.wake)

    def wake(self) -> None:
        if self._future is not None and not self._future.done():
            self._future.set_result(None)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class _TrioAlarm:
    __slots__ = ("_scope", "_task")

    def __init__(self) -> None:
        self._scope: trio.CancelScope | None = None
        self._task: trio.lowlevel.Task | None = None

    async def wait(self, at: float) -> None:
        self._task = trio.lowlevel.current_task()
        try:
            with trio.CancelScope(deadline=at) as self._scope:
                await trio.lowlevel.wait_task_rescheduled(self._abort)
        finally:
            self._scope = self._task = None

    def move(self, at: float) -> None:
        if self._scope is not None:
            self._scope.deadline = at

    def wake(self) -> None:
        if self._task is not None:
            task, self._task = self._task, None
            trio.lowlevel.reschedule(task)

    def _abort(self, _: object) -> trio.lowlevel.Abort:
        self._task = None
        return trio.lowlevel.Abort.SUCCEEDED
