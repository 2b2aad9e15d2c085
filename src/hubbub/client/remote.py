"""A session over a network: the same methods, results and errors as one in the process."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from random import Random
from typing import Any, Self, TypeVar

import msgspec
from anyio import AsyncContextManagerMixin, to_thread

from ..clock import thaw
from ..errors import Closed, Invalid
from ..feature import Feature, RemoteCache, RemoteCall
from ..feature_set import FeatureSet
from ..features import FEATURES, ServiceAttributes
from ..ids import Ids
from ..journal.event import Event, Signal, Streams
from ..journal.live.signals import Signals
from ..method import Method
from ..service import Service, remote
from ..session import service_of
from ..task_group import open_task_group
from ..users.user import User
from ..wire.messages import UNREADABLE
from .connection import AskToken, ReconnectingConnection, RemoteTail, TokenStore
from .dial import Dial

__all__ = ["RemoteEvents", "RemoteSession"]

S = TypeVar("S", bound=Service)
T = TypeVar("T")


class RemoteSession(AsyncContextManagerMixin, ServiceAttributes):
    """
    A session over a network; see :class:`hubbub.Session`.

    Args:
        where: the name of the server, for messages.
        open_dialer: makes the function that opens connections, in a worker thread.
        sign_in: the params of the first sign-in.
        ids: the source of idempotency keys.
        random: the source of the back-off's jitter.
        ask_token: returns the token for each sign-in, if the application has a function for it.
        token_store: stores the newest refresh token.
        features: the application's own features, besides Hubbub's.
    """

    def __init__(  # noqa: PLR0913
        self,
        where: str,
        open_dialer: Callable[[], Dial],
        sign_in: dict[str, object],
        ids: Ids,
        random: Random,
        ask_token: AskToken | None = None,
        token_store: TokenStore | None = None,
        features: Sequence[Feature] = (),
    ) -> None:
        self._open_dialer = open_dialer
        self._new_connection = partial(
            ReconnectingConnection,
            where,
            sign_in=sign_in,
            random=random,
            ask_token=ask_token,
            token_store=token_store,
        )
        self._ids = ids
        self._opened: ReconnectingConnection | None = None
        own = [one for one in features if one not in FEATURES]
        known = FeatureSet([*FEATURES, *own])
        self._streams = Streams(known.streams)
        self._decoders: dict[str, msgspec.json.Decoder[Any]] = {}
        self._caches: list[RemoteCache] = []
        for feature in known:
            call: RemoteCall = self._call
            if feature.remote is not None:
                self._caches.append(cache := feature.remote(self._call))
                call = cache
            if feature.service is not Service:
                setattr(self, feature.name, remote(feature.service, call))

    @asynccontextmanager
    async def __asynccontextmanager__(self) -> AsyncGenerator[Self]:
        dial = await to_thread.run_sync(self._open_dialer)
        connection = self._opened = self._new_connection(dial)
        async with open_task_group() as tasks:
            try:
                await tasks.start(connection.run)
                yield self
            finally:
                connection.end()
                tasks.cancel_scope.cancel()

    @property
    def user(self) -> User:
        """The user, as they were when the session began or last reconnected."""
        return _decode(_user, self._connection.signed_in.user)

    @property
    def token(self) -> str:
        """The access token, valid for some minutes: for requests, and for other connections."""
        return self._connection.signed_in.token

    @property
    def refresh_token(self) -> str | None:
        """
        The refresh token, which signs in once; None if the application issues the tokens.

        It changes whenever the session reconnects: store the newest.
        """
        return self._connection.signed_in.refresh_token

    @property
    def role(self) -> str:
        """The user's global role: ``user``, ``moderator`` or ``admin``."""
        return self._connection.signed_in.role

    @property
    def journal_id(self) -> str:
        """The id of the journal; in another journal the same seqs have another meaning."""
        return self._connection.signed_in.journal_id

    def service(self, kind: type[S]) -> S:
        """Return the service of a feature; see :meth:`hubbub.Session.service`."""
        return service_of(self, kind)

    @asynccontextmanager
    async def follow(
        self, stream: str, *, after: int | None = None
    ) -> AsyncGenerator[AsyncIterator[Event]]:
        """Follow a stream; see :meth:`hubbub.Session.follow`."""
        self._streams.empty(stream)
        if after is not None and (not isinstance(after, int) or after < 0):
            raise Invalid(f"A seq must be a number from 0, not {after!r}.")
        async with self._connection.follow(stream, after) as tail:
            yield RemoteEvents(tail, self._streams)

    @asynccontextmanager
    async def signals(self, stream: str) -> AsyncGenerator[AsyncIterator[Signal]]:
        """Listen to a stream's signals; see :meth:`hubbub.Session.signals`."""
        self._streams.empty(stream)
        tail: RemoteTail

        def check() -> None:
            self._connection.check_home()
            # Skip the events; an error may follow the last of them.
            while tail.follower.take() is not None:
                pass

        signals = Signals(check)
        async with self._connection.follow(stream, None, signals.put) as tail:
            tail.follower.wake = signals.look
            yield signals

    async def read(self, stream: str, *, after: int = 0, limit: int = 100) -> list[Event]:
        """Read a stream; see :meth:`hubbub.Session.read`."""
        self._streams.empty(stream)
        params = {"stream": stream, "after": after, "limit": limit}
        page = await self._connection.call("session.read", params)
        return [_event(self._streams, body) for body in _decode(_bodies, page)]

    @property
    def _connection(self) -> ReconnectingConnection:
        if self._opened is None:
            raise Closed("The session is not open; use it with `async with`.")
        return self._opened

    async def _call(self, method: Method, arguments: Mapping[str, Any]) -> Any:
        params = dict(arguments)
        if method.keyed and params.get("key") is None:
            # The key makes the command exactly-once, however often the client sends it.
            params["key"] = self._ids.new()
        decoder = self._decoders.get(method.name)
        if decoder is None:
            thaw()
            decoder = self._decoders[method.name] = msgspec.json.Decoder(method.result)
        result = _decode(decoder, await self._connection.call(method.name, params))
        if method.changes:
            # A user's own changes must be visible at once.
            for cache in self._caches:
                cache.changed()
        return result


class RemoteEvents(AsyncIterator[Event]):
    """
    The events of a stream at a server, one by one.

    Args:
        tail: the source of the events.
        streams: the known kinds of stream.
    """

    __slots__ = ("_streams", "_tail")

    def __init__(self, tail: RemoteTail, streams: Streams) -> None:
        self._tail = tail
        self._streams = streams

    async def __anext__(self) -> Event:
        return _event(self._streams, await self._tail.next())


_user = msgspec.json.Decoder(User)
_bodies = msgspec.json.Decoder(list[msgspec.Raw])


def _event(streams: Streams, body: bytes | msgspec.Raw) -> Event:
    try:
        return streams.decode(bytes(body))
    except UNREADABLE as error:
        raise _too_new("an event", error) from error


def _decode(decoder: msgspec.json.Decoder[T], result: msgspec.Raw) -> T:
    try:
        return decoder.decode(result)
    except UNREADABLE as error:
        raise _too_new("an answer", error) from error


def _too_new(what: str, error: Exception) -> Invalid:
    return Invalid(f"The server sent {what} that this version of hubbub does not know: {error}.")
