"""A user's session with a hub."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from functools import cached_property
from typing import Any, Protocol, TypeVar

from .errors import NotFound
from .features import ServiceAttributes, Services
from .guard import MethodGuard
from .journal.actor import Actor
from .journal.event import Event, Signal
from .journal.live.attaching import check_command
from .journal.live.topic import cut
from .service import Service, check_limit, check_seq
from .users.user import User

__all__ = ["LocalSession", "Session", "service_of"]

S = TypeVar("S", bound=Service)


class Session(Services, Protocol):
    """
    A user's session, in the process or over the network; all commands go through a session.

    It has the services of its hub's features as attributes; :meth:`service` returns the
    services of your own features with their types.
    """

    @property
    def user(self) -> User:
        """The user, as they were when the session began."""

    @property
    def journal_id(self) -> str:
        """Which journal it is; seqs of another one mean something else."""

    def service(self, kind: type[S]) -> S:
        """
        Return the service of a feature, with its type.

        Args:
            kind: the service's class.

        Raises:
            NotFound: you opened the hub, or the client, without this feature.
        """

    def follow(
        self, stream: str, *, after: int | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        """
        Follow a stream: the events after a seq, then live events, in one sequence.

        Args:
            stream: a stream's name, like ``room.stream``.
            after: the last seq that you have; None follows only new events.

        Raises:
            NotFound: the stream does not exist.
            NotAllowed: you do not have access, or lose it later.
            Conflict: ``after`` is past the end: the history was reset.
            Invalid: ``stream`` or ``after`` is outside its limits.
            StorageError: the store cannot be read.
            Closed: the hub is closing.
        """

    def signals(self, stream: str) -> AbstractAsyncContextManager[AsyncIterator[Signal]]:
        """
        Listen to the ephemeral signals of a stream, which Hubbub sends and does not store.

        Args:
            stream: a stream's name.

        Raises:
            NotFound: the stream does not exist.
            NotAllowed: you do not have access, or lose it later.
            Invalid: ``stream`` is not the name of a stream.
            Closed: the hub is closing.
        """

    async def read(self, stream: str, *, after: int = 0, limit: int = 100) -> list[Event]:
        """
        Return a stream's events after a seq, in order.

        Args:
            stream: a stream's name.
            after: the seq before the first event that you want.
            limit: 1 to 500. A page of more bytes than the setting ``page_bytes_max`` has fewer
                events, and at least one.

        Raises:
            NotFound: the stream does not exist.
            NotAllowed: you do not have access.
            Invalid: an argument is outside its limits.
            Overloaded: too many reads wait for the store; retry in a few seconds.
            StorageError: the store cannot be read.
            Closed: the hub is closing.
        """


class Sessions(Protocol):
    """Makes the services of sessions; a hub does."""

    def new_service(self, name: str, actor: Actor, guard: MethodGuard | None) -> Service:
        """Make a service."""

    def new_guard(self, actor: Actor) -> MethodGuard | None:
        """Make the guard before the methods of a session, if it needs one."""


class LocalSession(ServiceAttributes):
    """
    A session in the hub's own process; see :class:`Session`.

    It makes a service when you first use it: most sessions use few.

    Args:
        actor: the user of the session.
        hub: makes the services.
    """

    user: User

    def __init__(self, actor: Actor, hub: Sessions) -> None:
        self.actor = actor
        self._hub = hub

    @property
    def journal_id(self) -> str:
        """Which journal it is; see :attr:`Session.journal_id`."""
        return self.actor.journal.store.journal_id

    @cached_property
    def _guard(self) -> MethodGuard | None:
        """The guard of all services, made with the first of them."""
        return self._hub.new_guard(self.actor)

    def __getattr__(self, name: str) -> Any:
        # Python calls this only for attributes that do not exist yet.
        if name.startswith("_"):
            raise AttributeError(name)
        service = self._hub.new_service(name, self.actor, self._guard)
        setattr(self, name, service)
        return service

    def service(self, kind: type[S]) -> S:
        """Return the service of a feature; see :meth:`Session.service`."""
        return service_of(self, kind)

    def follow(
        self, stream: str, *, after: int | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        """Follow a stream; see :meth:`Session.follow`."""
        return self.actor.journal.follow(self.actor.user, stream, after)

    def signals(self, stream: str) -> AbstractAsyncContextManager[AsyncIterator[Signal]]:
        """Listen to a stream's signals; see :meth:`Session.signals`."""
        return self.actor.journal.signals(self.actor.user, stream)

    async def read(self, stream: str, *, after: int = 0, limit: int = 100) -> list[Event]:
        """Read a stream; see :meth:`Session.read`."""
        journal, user = self.actor.journal, self.actor.user
        check_limit(limit, self.actor.settings.page_max)
        check_seq(after)
        await self.actor.execute(check_command(user, stream))
        bodies = await journal.read(stream, after, limit, by=user)
        page = cut(bodies, self.actor.settings.page_bytes_max)
        return [journal.streams.decode(body) for body in page]


def service_of(session: object, kind: type[S]) -> S:
    """
    Return the service of a session, by its class.

    Raises:
        NotFound: the session does not have it.
    """
    found = getattr(session, kind.name, None)
    if not isinstance(found, kind):
        raise NotFound(
            f"This session has no {kind.__name__}; add its feature where you open the hub, and "
            "where you connect: features=[…]."
        )
    return found
