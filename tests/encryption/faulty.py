"""A session that fails at a chosen call, before or after the server has carried it out."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from hubbub import Session

__all__ = ["Crash", "Fault", "FaultySession"]


class Crash(Exception):
    """The process is gone."""


class Fault:
    """
    Fails once.

    Args:
        left: how many points are passed before it; None for never.
    """

    def __init__(self, left: int | None = None) -> None:
        self.left = left

    def point(self) -> None:
        """Pass a point, or crash there."""
        if self.left is None:
            return
        self.left -= 1
        if self.left < 0:
            raise Crash


class FaultyService:
    """A service whose calls have a point before and one after them."""

    def __init__(self, service: Any, fault: Fault) -> None:
        self._service = service
        self._fault = fault

    def __getattr__(self, name: str) -> Any:
        method: Callable[..., Any] = getattr(self._service, name)

        @wraps(method)
        async def call(*args: object, **kwargs: object) -> object:
            self._fault.point()
            result = await method(*args, **kwargs)
            self._fault.point()
            return result

        return call


class FaultySession:
    """
    A session for one process that crashes.

    Args:
        session: a session of any hub.
        fault: where it crashes.
    """

    def __init__(self, session: Session, fault: Fault) -> None:
        self._session = session
        self.keys = FaultyService(session.keys, fault)
        self.chat = FaultyService(session.chat, fault)
        self.read = FaultyService(session, fault).read

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)
