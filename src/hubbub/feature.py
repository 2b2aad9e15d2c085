"""
What a feature declares about itself: its service, its streams, and who else must know.

A hub, its sessions, the gateway, OpenAPI, permissions, the client, ``hubbub verify`` and the
documentation read a list of features, and none of them names a feature. An application's own
features are values of the same type.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from types import MappingProxyType
from typing import Any, Protocol

import msgspec

from .ids import Ids
from .journal.actor import Actor
from .journal.decide.states import States
from .journal.event import Data, Draft, State
from .journal.journal import Journal
from .journal.stats import Meter
from .method import Arguments, Method
from .permissions import Grant
from .quotas import Quota, Quotas
from .ratelimit import RateLimit
from .service import Service
from .settings import Settings

__all__ = [
    "Adoption",
    "Callback",
    "Erasure",
    "Feature",
    "Hook",
    "Host",
    "Receiver",
    "RemoteCache",
    "RemoteCall",
    "Rule",
    "Runtime",
    "WebhookRoute",
]

NONE: Mapping[str, Any] = MappingProxyType({})
NONE_ERASED: Mapping[type[Data], Any] = MappingProxyType({})

# Runs inside the decision of a method, and refuses it by raising a HubbubError. It is pure,
# and may run several times.
Rule = Callable[[States, Actor, Arguments], None]
# Runs before a method's command is queued; returns other arguments, or None to leave them.
Hook = Callable[[Actor, Arguments], Awaitable[Arguments | Mapping[str, Any] | None]]
# Is entered with the open hub; what it yields is its services' ``runtime``.
Runtime = Callable[..., AbstractAsyncContextManager[object]]
# How a client asks the server: a method, and its arguments by name.
RemoteCall = Callable[[Method, Mapping[str, Any]], Awaitable[Any]]
# What a webhook does with a body, the headers and the time; it raises Invalid for junk.
Callback = Callable[[bytes, Mapping[str, str], datetime], None]


class Host(Protocol):
    """The open hub, as the runtimes of features see it."""

    journal: Journal
    settings: Settings
    ids: Ids
    quotas: Quotas
    meter: Meter
    # The hub's own commands.
    itself: Actor

    @property
    def is_open(self) -> bool:
        """True from entering the hub until leaving it."""

    @property
    def options(self) -> Mapping[str, object]:
        """What the hub was opened with, for features that take options."""

    def is_connected(self, user_id: str) -> bool:
        """Tell whether a user has a session just now."""

    def start(self, work: Callable[..., Coroutine[Any, Any, None]], *args: object) -> None:
        """Run something in the hub's task group; what it raises ends it alone, and is logged."""

    def keep_running(self, what: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run something as long as the hub is open; it starts again, with back-off, if it fails."""


class RemoteCache(Protocol):
    """How a client carries out the methods of a service, if it need not ask each time."""

    async def __call__(self, method: Method, arguments: Mapping[str, Any]) -> Any:
        """Return what a method returns."""

    def changed(self) -> None:
        """Note that the session has changed something."""


class Adoption(msgspec.Struct, frozen=True):
    """
    What guests bring along when they sign in as another user.

    Args:
        reads: the streams that it will touch, of the guest and of the user.
        decide: what to write, by the states, the guest, the user, and the runtime.
    """

    reads: Callable[[str, str], Sequence[str]]
    decide: Callable[[States, str, str, Any], Sequence[Draft]]


class Erasure(msgspec.Struct, frozen=True):
    """
    How ``hubbub erase`` takes a person out of the events that a feature has written.

    Args:
        events: an event type -> of an event and the user's id, the event without what tells
            about the person. It is pure, and the states fold the event that it returns.
        renamed: kinds of stream whose names tell about the person that they belong to.
    """

    events: Mapping[type[Data], Callable[[Any, str], Data]] = NONE_ERASED
    renamed: frozenset[str] = frozenset()


class Receiver(msgspec.Struct, frozen=True):
    """
    What takes the calls of one provider.

    Args:
        body_bytes_max: the longest body.
        receive: is given a body, the headers and the time.
    """

    body_bytes_max: int
    receive: Callback


class WebhookRoute(msgspec.Struct, frozen=True):
    """
    A route that some provider calls: ``POST /webhooks/NAME``.

    Args:
        body_bytes_max: the longest body.
        open: makes what takes the calls, of the provider's secret and the runtime.
    """

    body_bytes_max: int
    open: Callable[[str, Any], Callback]


class Feature(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """
    One feature: everything that the rest of Hubbub must know of it.

    Args:
        name: the service's name: ``session.NAME``, and ``NAME.method`` on the wire.
        service: the class of the service; made for each session, with the actor and what the
            runtime has yielded. Without one the feature only checks, or runs something.
        streams: a kind of stream, like ``ticket`` for ``ticket/ID`` -> what it folds into.
        roles: a method, like ``tickets.solve`` -> the least global role for it.
        check: a method, of this or of another feature -> a rule that may refuse it. It runs
            inside the decision, and is pure.
        before: a method -> an async function that runs before the command is queued. It may
            refuse the command or change its arguments, within ``hook_seconds_max``.
        runtime: an async context manager that is entered with the hub, and left with it.
        grants: a method -> who may call it; for the documentation, and for refusals.
        readers: a kind of stream -> who may read it; for the documentation.
        quotas: a method -> what it is counted as, for users who come over a network.
        limits: a name for ``states.charge`` -> makes its rate limit.
        options: the keyword arguments of ``hubbub.open`` that are this feature's.
        adoption: what guests bring along when they sign in as another user.
        erasure: how ``hubbub erase`` takes a person out of the feature's events.
        connected: called when a session of a user begins or ends, with the runtime and the
            user's id.
        drain: finishes what was accepted, before the hub takes no more commands.
        webhooks: a name -> a route that some provider calls.
        traffic: a kind of stream whose busiest are shown to operators -> what each is called,
            or None if it is not to be shown.
        remote: wraps how a client carries the service's methods out.
    """

    name: str
    service: type[Service] = Service
    streams: Mapping[str, type[State]] = NONE
    roles: Mapping[str, str] = NONE
    check: Mapping[str, Rule] = NONE
    before: Mapping[str, Hook] = NONE
    runtime: Runtime | None = None
    grants: Mapping[str, Grant] = NONE
    readers: Mapping[str, Grant] = NONE
    quotas: Mapping[str, Quota] = NONE
    limits: Mapping[str, Callable[[Settings], RateLimit]] = NONE
    options: frozenset[str] = frozenset()
    adoption: Adoption | None = None
    erasure: Erasure = Erasure()
    connected: Callable[[Any, str], None] | None = None
    drain: Callable[[Any], Awaitable[None]] | None = None
    webhooks: Mapping[str, WebhookRoute] = NONE
    traffic: Mapping[str, Callable[[State], str | None]] = NONE
    remote: Callable[[RemoteCall], RemoteCache] | None = None

    def __repr__(self) -> str:
        return f"Feature({self.name!r})"
