"""
Calls the connections of a server that are ready, without a task for each.

A task for each idle connection, with the scopes and the frames that it waits in, would take more
memory than all else that the connection has. So here the operating system keeps the list of the
connections: the server waits for that list, and calls the connections that are ready.
"""

from __future__ import annotations

import logging
import selectors
from typing import Protocol

import anyio

from ..wake_up import WakeUp
from .deadlines import Deadlines
from .event_loop import call_when_readable, clock_of_loop

__all__ = ["Selected", "Selector"]

logger = logging.getLogger("hubbub.server")

# How often the server looks at its connections where the system has no list of them: on Windows.
LOOK_SECONDS = 0.01


class Selected(Protocol):
    """A connection that the selector calls. Its calls never wait."""

    # The number of its descriptor.
    fd: int

    def ready(self, events: int) -> None:
        """Read, write, or both. If it raises, only this connection ends."""

    def connection_lost(self) -> None:
        """Close, and release everything; it raises nothing."""


class Selector:
    """
    The open connections of a server, and which events each waits for.

    Attributes:
        deadlines: the deadlines of the connections.
    """

    def __init__(self) -> None:
        self.deadlines = Deadlines(clock_of_loop())
        self._selector = selectors.DefaultSelector()
        self._events: dict[Selected, int] = {}
        self._changed = WakeUp()

    def watch(self, connection: Selected, events: int) -> None:
        """Call a connection at these events from now on; at none of them if it is 0."""
        before = self._events.get(connection, 0)
        if events and not before:
            self._selector.register(connection.fd, events, connection)
        elif events and events != before:
            self._selector.modify(connection.fd, events, connection)
        elif before and not events:
            # Without an event the kernel would still report that the client is gone, all the time.
            self._selector.unregister(connection.fd)
        self._events[connection] = events

    def hand_over(self, before: Selected, after: Selected) -> None:
        """Call another connection in the place of one, on the same descriptor."""
        if events := self._events.pop(before, 0):
            self._selector.modify(before.fd, events, after)
            self._events[after] = events

    def discard(self, connection: Selected) -> None:
        """Forget a connection, before its descriptor closes."""
        if self._events.pop(connection, 0):
            self._selector.unregister(connection.fd)
        self._changed.set()

    async def until_none(self) -> None:
        """Wait until no connection is open."""
        while self._events:
            await self._changed.wait()

    async def run(self) -> None:
        """Call connections that are ready until it is cancelled; then close all of them."""
        with self._selector:
            try:
                await self._run()
            finally:
                for connection in list(self._events):
                    connection.connection_lost()

    async def _run(self) -> None:
        if (fileno := getattr(self._selector, "fileno", None)) is not None:
            # The descriptor of the list can be read while a connection in it is ready.
            await call_when_readable(fileno(), self._call_ready)
        while True:
            await anyio.sleep(LOOK_SECONDS)
            # Windows looks at no empty list.
            if self._selector.get_map():
                self._call_ready()

    def _call_ready(self) -> None:
        for key, events in self._selector.select(0):
            self._call(key.data, events)

    def _call(self, connection: Selected, events: int) -> None:
        # An earlier connection of the same turn may have paused it, or ended it.
        events &= self._events.get(connection, 0)
        if not events:
            return
        try:
            connection.ready(events)
        except Exception:
            logger.exception("a connection failed")
            connection.connection_lost()
