"""An event that can be set again and again."""

from __future__ import annotations

import anyio
import anyio.lowlevel

__all__ = ["WakeUp"]


class WakeUp:
    """
    Wakes the tasks that wait for a change.

    Any code in the event loop can set it, including a callback; any number of tasks can wait
    on it. No change is lost: if you set it while no task waits, the next task that waits
    wakes at once. So a task can wake for a change that it has already seen: check again in a loop.
    """

    __slots__ = ("_event", "_fired")

    def __init__(self) -> None:
        # Most objects with a wake-up never wait, and an event is large: the first wait makes it.
        self._event: anyio.Event | None = None
        # The event that was set last, or True, until a task wakes for it.
        self._fired: anyio.Event | bool = False

    def set(self) -> None:
        """Wake all waiting tasks, or the next task that waits."""
        event, self._event = self._event, None
        if event is not None:
            event.set()
        self._fired = event or True

    async def wait(self) -> None:
        """Return once it was set since a task last woke."""
        if self._fired:
            await anyio.lowlevel.checkpoint()
            self._fired = False
            return
        if self._event is None:
            self._event = anyio.Event()
        event = self._event
        await event.wait()
        # It may have been set again, and another task has to wake for that.
        if self._fired is event:
            self._fired = False
