"""A server that changes what it hands out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from hubbub import Event, Session

__all__ = ["TamperingSession", "changed"]

Change = Callable[[list[Event]], list[Event]]


class TamperingService:
    """
    A service some of whose results are changed on their way.

    Args:
        service: what the server offers.
        changes: a method -> what is made of its result.
    """

    def __init__(self, service: Any, changes: dict[str, Callable[[Any], Any]]) -> None:
        self._service = service
        self._changes = changes

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._service, name)
        change = self._changes.get(name)
        if change is None:
            return method

        async def call(*args: object, **kwargs: object) -> object:
            return change(await method(*args, **kwargs))

        return call


class TamperingSession:
    """
    A session with such a server.

    Args:
        session: a session with an honest one.
        events: what is made of the events of a room that are read.
        keys: a method of ``keys`` -> what is made of its result.
    """

    def __init__(
        self,
        session: Session,
        events: Change = list,
        keys: dict[str, Callable[[Any], Any]] | None = None,
    ) -> None:
        self._session = session
        self._change = events
        self.keys = TamperingService(session.keys, keys or {})

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    async def read(self, stream: str, *, after: int = 0, limit: int = 100) -> list[Event]:
        """Read a stream; events of rooms are changed, and there may be more of them."""
        if not stream.startswith("room/"):
            return await self._session.read(stream, after=after, limit=limit)
        events = self._change(await self._session.read(stream, limit=500))
        return [event for event in events if event.seq > after][:limit]


def changed(event: Event, **changes: object) -> Event:
    """Return an event with another body, sender, device or place."""
    data = {name: value for name, value in changes.items() if hasattr(event.data, name)}
    head = {name: value for name, value in changes.items() if name not in data}
    new = msgspec.structs.replace(event.data, **data) if data else event.data
    return msgspec.structs.replace(event, data=new, **head)


def sealed_events(events: Sequence[Event]) -> list[Event]:
    """Return the encrypted events."""
    return [event for event in events if event.type in ("sealed", "sealed_change")]
