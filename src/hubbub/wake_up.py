"""An event that can be set again and again."""

from __future__ import annotations

import anyio

__all__ = ["WakeUp"]


class WakeUp:
    """
    Wakes the tasks that wait until something has changed.

    Anything in the event loop may set it, a callback too; any number of tasks may wait, all of
    them on one event. Nothing is lost: set while no task waits, it wakes the next one that does.
    So a task may wake for what it has seen already: look again after each wait, in a loop.
    """

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event = anyio.Event()

    def set(self) -> None:
        """Wake all tasks that wait, or the next one that will."""
        self._event.set()

    async def wait(self) -> None:
        """Return when it was set since a task woke last."""
        await self._event.wait()
        # Of several that wake, the first has replaced it already.
        if self._event.is_set():
            self._event = anyio.Event()
