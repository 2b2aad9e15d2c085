"""One user's view of a hub."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, TypeVar

from .errors import NotFound
from .features import ServiceAttributes, Services
from .guard import MethodGuard
from .journal.actor import Actor
from .journal.event import Event, Signal
from .journal.live.topic import cut
from .service import Service, check_limit, check_seq
from .users.user import User

__all__ = ["LocalSession", "Session", "service_of"]

S = TypeVar("S", bound=Service)


class Session(Services, Protocol):
    """
    One user's presence, in the process or over the network; all commands go through one.

    It has the services of its hub's features as attributes, and those of your own by
    :meth:`service`.
    """

    @property
    def user(self) -> User:
        """The user, as known when the session began."""

    def service(self, kind: type[S]) -> S:
        """
        Return the service of a feature, with its type.

        Args:
            kind: the service's class.

        Raises:
            NotFound: the hub, or the client, was opened without this feature.
        """

    def follow(
        self, stream: str, *, after: int | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        """
        Follow a stream: what is there after a seq, then what is live, in one sequence.

        Args:
            stream: a stream's name, like ``room.stream``.
            after: the last seq that you have; None is from now on.

        Raises:
            NotFound: there is no such stream.
            NotAllowed: it is not for this user; also when that right ends later.
            Conflict: ``after`` is past the end: the history was reset.
            Closed: the hub is going.
        """

    def signals(self, stream: str) -> AbstractAsyncContextManager[AsyncIterator[Signal]]:
        """
        Listen to a stream's ephemeral signals: they reach its followers, and are not kept.

        Args:
            stream: a stream's name.

        Raises:
            NotFound: there is no such stream.
            NotAllowed: it is not for this user; also when that right ends later.
            Closed: the hub is going.
        """

    async def read(self, stream: str, *, after: int = 0, limit: int = 100) -> list[Event]:
        """
        Read a stream's events after a seq, in order.

        Args:
            stream: a stream's name.
            after: the seq before the first event wanted.
            limit: 1 to 500; fewer are returned where they are larger together than the
                setting ``page_bytes_max``, and at least one.
        """


class Sessions(Protocol):
    """What makes the services of sessions: a hub."""

    def new_service(self, name: str, actor: Actor, guard: MethodGuard | None) -> Service:
        """Make a service."""

    def new_guard(self, actor: Actor) -> MethodGuard | None:
        """Make what stands before the methods of a session, if anything does."""


class LocalSession(ServiceAttributes):
    """
    A session in the hub's own process; see :class:`Session`.

    Its services are made when they are first used: most sessions use few.

    Args:
        actor: the user whose session it is.
        hub: makes the services.
    """

    user: User

    def __init__(self, actor: Actor, hub: Sessions) -> None:
        self.actor = actor
        self._hub = hub
        self._guard = hub.new_guard(actor)

    def __getattr__(self, name: str) -> Any:
        # Only what is not there yet comes here.
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
        await self.actor.execute(journal.check_command(user, stream))
        bodies = await journal.read(stream, after, limit, by=user)
        page = cut(bodies, self.actor.settings.page_bytes_max)
        return [journal.streams.decode(body) for body in page]


def service_of(session: object, kind: type[S]) -> S:
    """
    Return the service of a session that is of some class.

    Raises:
        NotFound: it has none.
    """
    found = getattr(session, kind.name, None)
    if not isinstance(found, kind):
        raise NotFound(
            f"This session has no {kind.__name__}; add its feature where you open the hub, and "
            "where you connect: features=[…]."
        )
    return found
