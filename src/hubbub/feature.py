"""
How a feature declares itself: its service, its streams, and what other parts need to know.

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
# Runs before a method's command is queued; returns new arguments, or None to keep them.
Hook = Callable[[Actor, Arguments], Awaitable[Arguments | Mapping[str, Any] | None]]
# An async context manager that the open hub enters; its value is its services' ``runtime``.
Runtime = Callable[..., AbstractAsyncContextManager[object]]
# How a client calls the server: a method, and its arguments by name.
RemoteCall = Callable[[Method, Mapping[str, Any]], Awaitable[Any]]
# Handles a webhook's body, headers and time; raises Invalid for a body that it cannot read.
Callback = Callable[[bytes, Mapping[str, str], datetime], None]


class Host(Protocol):
    """The open hub, as a feature's runtime sees it."""

    journal: Journal
    settings: Settings
    ids: Ids
    quotas: Quotas
    meter: Meter
    # The hub's own commands.
    itself: Actor

    @property
    def is_open(self) -> bool:
        """True while you are inside ``async with`` of the hub."""

    @property
    def options(self) -> Mapping[str, object]:
        """The options given to ``hubbub.open``, for features that take options."""

    def is_connected(self, user_id: str) -> bool:
        """Return whether a user has a session now, on any node."""

    @property
    def knows_presence(self) -> bool:
        """False while users may be connected to other nodes without this node knowing."""

    def start(self, work: Callable[..., Coroutine[Any, Any, None]], *args: object) -> None:
        """Run a task in the hub; an exception ends only this task, and the hub logs it."""

    def keep_running(self, what: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a task as long as the hub is open; restart it with back-off if it fails."""


class RemoteCache(Protocol):
    """Carries out a service's methods for a client, so that it can cache their results."""

    async def __call__(self, method: Method, arguments: Mapping[str, Any]) -> Any:
        """Return the result of a method."""

    def changed(self) -> None:
        """Note that the session has changed something, so cached results may be out of date."""


class Adoption(msgspec.Struct, frozen=True):
    """
    The part of a guest that their account keeps when they sign in.

    Args:
        reads: returns the streams that ``decide`` touches, of the guest and of the user.
        decide: returns the events, from the states, the guest, the user and the runtime.
    """

    reads: Callable[[str, str], Sequence[str]]
    decide: Callable[[States, str, str, Any], Sequence[Draft]]


class Erasure(msgspec.Struct, frozen=True):
    """
    How ``hubbub erase`` removes a person from the events that a feature has written.

    Args:
        events: an event type -> of an event and the user's id, the event without what tells
            about the person. It is pure, and the states fold the event that it returns.
        renamed: kinds of stream whose names tell about the person that they belong to.
    """

    events: Mapping[type[Data], Callable[[Any, str], Data]] = NONE_ERASED
    renamed: frozenset[str] = frozenset()


class Receiver(msgspec.Struct, frozen=True):
    """
    The receiver of a provider's webhook calls.

    Args:
        body_bytes_max: the longest body, in bytes.
        receive: takes a body, the headers and the time.
    """

    body_bytes_max: int
    receive: Callback


class WebhookRoute(msgspec.Struct, frozen=True):
    """
    A route for the webhooks of a provider: ``POST /webhooks/NAME``.

    Args:
        body_bytes_max: the longest body, in bytes.
        open: makes the receiver from the provider's secret and the runtime.
    """

    body_bytes_max: int
    open: Callable[[str, Any], Callback]


class Feature(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """
    A feature: everything that the rest of Hubbub needs to know about it.

    Args:
        name: the service's name: ``session.NAME``, and ``NAME.method`` on the wire.
        service: the class of the service. Each session makes its own, with the actor and the
            runtime. A feature without a service only adds checks or background work.
        streams: a kind of stream, like ``ticket`` for ``ticket/ID`` -> the state it folds into.
        roles: a method, like ``tickets.solve`` -> the lowest global role that can call it.
        check: a method, of this or of another feature -> a rule that can refuse it. It runs
            inside the decision, and is pure.
        before: a method -> an async function that runs before the command is queued. It can
            refuse the command or change its arguments, within ``hook_seconds_max``.
        runtime: an async context manager that the hub enters when it opens and exits at the end.
        grants: a method -> who can call it; for the documentation, and for refusals.
        readers: a kind of stream -> who can read it; for the documentation.
        quotas: a method -> the quota that it counts against, for users over a network.
        limits: a name for ``states.charge`` -> a function that makes its rate limit.
            Nodes that share a store count a :class:`~hubbub.domain.StoredRateLimit` together,
            and any other limit each for itself.
        options: the keyword arguments of ``hubbub.open`` that belong to this feature.
        adoption: what a guest keeps when they sign in as another user.
        erasure: how ``hubbub erase`` removes a person from the events of the feature.
        connected: called when a session of a user begins or ends on this node, with the runtime
            and the user's id; also for a user of another node who has connected there, or whose
            node has died.
        drain: finishes accepted work, before the hub stops accepting commands.
        webhooks: a name -> a route for the webhooks of a provider.
        traffic: a kind of stream whose busiest ones operators see -> the name of each, or None
            to hide it.
        remote: wraps how a client carries out the service's methods.
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
