"""An event that can be set again and again."""

from __future__ import annotations

import anyio

__all__ = ["WakeUp"]


class WakeUp:
    """
    Wakes the tasks that wait for a change.

    Any code in the event loop can set it, including a callback; any number of tasks can wait
    on it. No change is lost: if you set it while no task waits, the next task that waits
    wakes at once. So a task can wake for a change that it has already seen: check again in a loop.
    """

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event = anyio.Event()

    def set(self) -> None:
        """Wake all waiting tasks, or the next task that waits."""
        self._event.set()

    async def wait(self) -> None:
        """Return once it was set since a task last woke."""
        await self._event.wait()
        # If several tasks wake, the first has already replaced the event.
        if self._event.is_set():
            self._event = anyio.Event()
