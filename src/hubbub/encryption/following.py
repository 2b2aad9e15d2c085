"""Following an encrypted room: events as they are read, in batches as they come."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import anyio

from ..journal.event import Event
from ..wake_up import WakeUp

__all__ = ["EVENTS_WAITING_MAX", "DecryptedEvents"]

# Events that have come and were not read yet; when there are as many, no more are taken.
EVENTS_WAITING_MAX = 512


class DecryptedEvents(AsyncIterator[Event]):
    """
    The events of a stream, as they are read.

    Args:
        events: as the server has them.
        read: reads a batch.
    """

    def __init__(
        self,
        events: AsyncIterator[Event],
        read: Callable[[Sequence[Event]], Awaitable[Sequence[Event]]],
    ) -> None:
        self._events = events
        self._read = read
        self._come: list[Event] = []
        self._ready: deque[Event] = deque()
        self._has_come = WakeUp()
        self._has_room = anyio.Event()
        self._over: Exception | None = None

    async def run(self) -> None:
        """Take events in until the stream ends, or raises."""
        try:
            async for event in self._events:
                self._come.append(event)
                self._has_come.set()
                if len(self._come) >= EVENTS_WAITING_MAX:
                    self._has_room = anyio.Event()
                    await self._has_room.wait()
            self._over = StopAsyncIteration()
        except Exception as error:
            self._over = error
        self._has_come.set()

    def put(self, events: Sequence[Event]) -> None:
        """Add events that could be read at last."""
        self._ready.extend(events)
        self._has_come.set()

    async def __anext__(self) -> Event:
        while not self._ready:
            if self._come:
                # If it is cancelled or fails, the batch is still here.
                read = await self._read(come := list(self._come))
                del self._come[: len(come)]
                self._has_room.set()
                self._ready.extend(read)
            elif self._over is not None:
                raise self._over
            else:
                await self._has_come.wait()
        return self._ready.popleft()
