"""The actions of the users of a simulated system, and the checks of its promises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from ..session import Session
from .client import Client

__all__ = ["Evidence", "Watching", "Workload"]


class Evidence(msgspec.Struct, frozen=True):
    """
    The journal of a system after a run.

    Args:
        streams: the name of each stream -> its events, in order: decoded JSON objects.
        order: the same events, in the order of their commits.
        crashes: when the server's lives ended, in seconds from the beginning.
    """

    streams: Mapping[str, Sequence[Mapping[str, Any]]]
    order: Sequence[Mapping[str, Any]]
    crashes: Sequence[float]


class Watching(Protocol):
    """Something that knows what must be true after a run."""

    def missing(self, evidence: Evidence) -> Iterator[str]:
        """Yield what has still to come true, now that nothing goes wrong any more."""

    def broken(self, evidence: Evidence) -> Iterator[str]:
        """Yield every promise that is broken, in a sentence."""


class Workload(Watching, Protocol):
    """
    A part of what users do.

    Write one for a feature of your own, and pass it to ``hubbub simulate --workload``. It keeps
    books of what it tried, what was acknowledged and what was seen, outside of the system.
    """

    name: str

    async def prepare(self, admin: Session) -> None:
        """Make what the users need, before anything goes wrong."""

    async def begin(self, client: Client) -> None:
        """Greet a user: called when they sign in, and again if it raises StorageError."""

    async def follow(self, client: Client) -> None:
        """Watch as long as the user is there; return at once if there is nothing to watch."""

    async def act(self, client: Client) -> None:
        """Do one thing."""
