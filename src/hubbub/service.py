"""
Services and their methods: one registry for every way to call them.

A service is a class whose public methods are marked with ``@command`` or ``@query``.
WebSocket, HTTP, OpenAPI and the remote session all work from these marks, so no method
is written twice.

A method is either a plain function that returns a decision, or an ``async def`` if it needs
to wait for something else. You await both on a session. The server takes only the decision
from a plain function, so it needs no task to run it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import cache, update_wrapper, wraps
from typing import Any, ClassVar, Concatenate, ParamSpec, Protocol, TypeVar

import msgspec

from .errors import Invalid, NotAllowed
from .method import Method, method_of
from .shown import shown

__all__ = [
    "SEQ_MAX",
    "Decision",
    "Guard",
    "Service",
    "ServiceActor",
    "check_limit",
    "check_seq",
    "check_user_id",
    "command",
    "methods_of",
    "query",
    "remote",
    "slow_command",
    "slow_query",
]

# The largest seq: JSON holds it exactly everywhere.
SEQ_MAX = (1 << 53) - 1

NOTHING: Mapping[str, str] = {}

S = TypeVar("S", bound="Service")
P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Decision(Protocol[R_co]):
    """The return value of a plain method: a decision, and how to make the caller's result."""

    @property
    def result(self) -> Callable[..., R_co]:
        """Make the caller's result."""


class ServiceActor(Protocol):
    """The user of the session that a service belongs to; see :class:`hubbub.domain.Actor`."""

    @property
    def user(self) -> str:
        """The user's id."""

    @property
    def role(self) -> str:
        """The user's global role: ``user``, ``moderator`` or ``admin``."""

    @property
    def refused(self) -> Mapping[str, Mapping[str, str]]:
        """A service -> its methods that the role cannot call, with the message for each."""

    def execute(self, command: Any) -> Coroutine[Any, Any, Any]:
        """Decide a command, and return its result when its events are durable."""

    def signal(self, stream: str, kind: str, body: Mapping[str, object] | None = None) -> None:
        """Send an ephemeral signal to the followers of a stream."""

    def new_id(self) -> str:
        """Make a new id."""


class Guard(Protocol):
    """Runs quotas, checks and hooks before the methods of a session."""

    def begin(self, service: Service, method: Method, arguments: Mapping[str, Any]) -> Any:
        """Call a method, with everything that can refuse it first, and return its result."""

    def waits(self, method: Method) -> bool:
        """Return whether a method needs a task: it waits for more than its decision."""


class Service:
    """
    A group of methods that a session offers under one name.

    Give a subclass a ``name``, and methods that are marked with :func:`command` or
    :func:`query`. A session makes the service when you first use it.

    Args:
        actor: the user of the session: ``actor.user``, ``actor.role``.
        runtime: the value that the feature's runtime yields; None if it has no runtime.
    """

    name: ClassVar[str]

    __slots__ = ("_refused", "actor", "guard", "runtime")

    # None if there is nothing to run before a method.
    guard: Guard | None

    def __init__(self, actor: ServiceActor, runtime: object = None) -> None:
        self.actor = actor
        self.runtime = runtime
        self.guard = None
        self._refused = actor.refused.get(self.name, NOTHING)

    def new_stream(self, kind: str) -> str:
        """Return the name of a new stream: its kind, a slash, and a new id."""
        return f"{kind}/{self.actor.new_id()}"

    def check(self, method: str) -> None:
        """
        Return if the actor's role permits a method.

        Raises:
            NotAllowed: the role does not permit it.
        """
        if method in self._refused:
            raise NotAllowed(self._refused[method])

    def begin(self, method: Method, arguments: Mapping[str, Any]) -> Any:
        """
        Call a method, if the actor's role and the guard permit it.

        Args:
            method: a method of this service.
            arguments: the arguments by name.

        Returns:
            The decision, if the method is plain and has no hook; otherwise a coroutine.

        Raises:
            HubbubError: the error of the method or of its guard.
                NotAllowed: the actor's role does not permit the method.
        """
        self.check(method.function.__name__)
        if self.guard is None:
            return method.function(self, **arguments)
        return self.guard.begin(self, method, arguments)

    def waits(self, method: Method) -> bool:
        """Return whether a method needs a task: it waits for more than its decision."""
        return not method.plain or (self.guard is not None and self.guard.waits(method))


def command(
    function: Callable[Concatenate[S, P], Decision[R]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, R]]:
    """Mark a method that changes something."""
    return _marked(function, changes=True)


def query(
    function: Callable[Concatenate[S, P], Decision[R]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, R]]:
    """Mark a method that only reads, and is decided like a command."""
    return _marked(function, changes=False)


def slow_command(
    function: Callable[Concatenate[S, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, R]]:
    """Mark an ``async def`` that changes something and waits for more than its decision."""
    return _marked_slow(function, changes=True)


def slow_query(
    function: Callable[Concatenate[S, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, R]]:
    """Mark an ``async def`` that reads the store."""
    return _marked_slow(function, changes=False)


def methods_of(kind: type[Service]) -> Mapping[str, Method]:
    """Return the marked methods of a service, by their names on the wire, its base's first."""
    cached: Any = kind
    return _methods_of(cached)


@cache
def _methods_of(kind: Any) -> Mapping[str, Method]:
    found = dict[str, Method]()
    members = {name: one for base in reversed(kind.__mro__) for name, one in vars(base).items()}
    for name, member in members.items():
        if mark := getattr(member, "mark", None):
            changes, function = mark
            method = method_of(f"{kind.name}.{name}", function, changes=changes)
            found[method.name] = method
    return found


def remote(kind: type[S], call: Callable[[Method, Mapping[str, Any]], Awaitable[Any]]) -> S:
    """
    Make a service whose methods run elsewhere.

    Args:
        kind: the service's class.
        call: takes a method and its arguments by name, and returns the result.
    """
    members: dict[str, Any] = {"__slots__": ()}
    for method in methods_of(kind).values():
        name = method.name.partition(".")[2]
        members[name] = _remote_method(getattr(kind, name), method, call)
    there: type[S] = type(f"Remote{kind.__name__}", (kind,), members)
    return there.__new__(there)


def _marked(
    function: Callable[Concatenate[S, P], Decision[R]], *, changes: bool
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, R]]:
    name = function.__name__

    def method(self: S, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]:
        # A plain function, not `async def`: it saves a coroutine for each call.
        if self.guard is not None:
            return _guarded(self, name, args, kwargs)
        if name in self._refused:
            self.check(name)
        run: Coroutine[Any, Any, R] = self.actor.execute(function(self, *args, **kwargs))
        return run

    method.mark = (changes, function)  # type: ignore[attr-defined]
    return update_wrapper(method, function)  # type: ignore[return-value]


def _marked_slow(
    function: Callable[Concatenate[S, P], Coroutine[Any, Any, R]], *, changes: bool
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, R]]:
    name = function.__name__

    def method(self: S, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]:
        if self.guard is not None:
            return _guarded(self, name, args, kwargs)
        self.check(name)
        return function(self, *args, **kwargs)

    method.mark = (changes, function)  # type: ignore[attr-defined]
    return update_wrapper(method, function)  # type: ignore[return-value]


def _guarded(
    service: Service, name: str, args: tuple[object, ...], kwargs: Mapping[str, object]
) -> Coroutine[Any, Any, Any]:
    method = methods_of(type(service))[f"{service.name}.{name}"]
    begun = service.begin(method, method.bound(service, args, kwargs))
    if service.waits(method):
        run: Coroutine[Any, Any, Any] = begun
    else:
        run = service.actor.execute(begun)
    return run


def _remote_method(
    local: Callable[..., Any],
    method: Method,
    call: Callable[[Method, Mapping[str, Any]], Awaitable[Any]],
) -> Callable[..., Any]:
    @wraps(local)
    async def remote_method(self: object, *args: object, **kwargs: object) -> object:
        given = method.bound(self, args, kwargs)
        # UNSET has no form in JSON: leave out what stays unchanged.
        arguments = {name: value for name, value in given.items() if value is not msgspec.UNSET}
        return await call(method, arguments)

    return remote_method


def check_limit(limit: object, most: int) -> int:
    """
    Return the number of items to return.

    Raises:
        Invalid: it is not a number from 1 to ``most``; True is not a number.
    """
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= most:
        raise Invalid(f"The limit must be a number from 1 to {most}, not {shown(limit)}.")
    return limit


def check_seq(seq: object) -> int:
    """
    Return a seq, which need not belong to an event.

    Raises:
        Invalid: it is not a number from 0 to ``SEQ_MAX``; True is not a number.
    """
    if not isinstance(seq, int) or isinstance(seq, bool) or not 0 <= seq <= SEQ_MAX:
        raise Invalid(f"A seq must be a number from 0 to {SEQ_MAX}, not {shown(seq)}.")
    return seq


def check_user_id(user_id: object) -> str:
    """
    Return a user's id if it is a string.

    Raises:
        Invalid: it is not a string.
    """
    if not isinstance(user_id, str):
        raise Invalid(f"A user id must be a string, not {shown(user_id)}.")
    return user_id
