"""
Services and their methods: one registry for every way to call them.

A service is a class whose public methods are marked with ``@command`` or ``@query``.
What the marks note down is all that WebSocket, HTTP, OpenAPI and the remote
session need to know, so no method is written twice.

A method is written as a plain function that returns what to decide, or as an
``async def`` where that is not enough. Called on a session either is awaited. The
server asks a plain one for its decision only, and so needs no task to run it.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import update_wrapper, wraps
from typing import (
    Any,
    ClassVar,
    Concatenate,
    ParamSpec,
    Protocol,
    TypeVar,
    get_args,
    get_type_hints,
)

import msgspec

from .errors import Invalid, NotAllowed
from .shown import shown

__all__ = [
    "SEQ_MAX",
    "Decision",
    "Method",
    "Service",
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

NOTHING: Mapping[str, Any] = {}

S = TypeVar("S", bound="Service")
P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Decision(Protocol[R_co]):
    """What a plain method returns: something to decide, and what the caller gets of it."""

    @property
    def result(self) -> Callable[..., R_co]:
        """Make what the caller gets."""


class Allowance(Protocol):
    """What a session may still do."""

    def charged(self, name: str, command: Any) -> Any:
        """Return what a method has returned, so that it is charged if it is counted."""


class Service:
    """
    Methods that a session offers under one name.

    Args:
        execute: runs what a plain method returns.
        refused: methods that the caller may not call, and why not.
    """

    name: ClassVar[str]

    __slots__ = ("_execute", "_refused", "allowance")

    # Charges what a session over a network does; None in the process.
    allowance: Allowance | None

    def __init__(
        self,
        execute: Callable[[Any], Coroutine[Any, Any, Any]],
        refused: Mapping[str, Mapping[str, str]] = NOTHING,
    ) -> None:
        self._execute = execute
        self._refused = refused.get(self.name, NOTHING)
        self.allowance = None

    def check(self, method: str) -> None:
        """
        Return if the caller's role permits a method.

        Raises:
            NotAllowed: it does not.
        """
        if method in self._refused:
            raise NotAllowed(str(self._refused[method]))


class Method(msgspec.Struct, frozen=True):
    """
    One method, as the network knows it.

    Args:
        name: ``service.method``.
        changes: True for a command, False for a query.
        arguments: a struct with a field for each argument.
        result: the type of what it returns.
        plain: ``function`` returns a decision; otherwise it is awaited.
        function: takes the service and the arguments by name.
        doc: its docstring.
    """

    name: str
    changes: bool
    arguments: type[msgspec.Struct]
    result: Any
    plain: bool
    function: Callable[..., Any]
    doc: str

    def begin(self, service: Service, arguments: Mapping[str, Any]) -> Any:
        """
        Call the function, if the caller's role permits it.

        Raises:
            HubbubError: what the function raises, or NotAllowed.
        """
        service.check(self.function.__name__)
        begun = self.function(service, **arguments)
        if service.allowance is None:
            return begun
        return service.allowance.charged(self.name, begun)

    @property
    def keyed(self) -> bool:
        """True if it takes an idempotency key."""
        return "key" in self.arguments.__struct_fields__


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
    """Mark an ``async def`` that changes something and has to wait for more than its decision."""
    return _marked_slow(function, changes=True)


def slow_query(
    function: Callable[Concatenate[S, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, R]]:
    """Mark an ``async def`` that reads the store."""
    return _marked_slow(function, changes=False)


def methods_of(kind: type[Service]) -> dict[str, Method]:
    """List the marked methods of a service, its base's first, by their names on the wire."""
    found = {}
    members = {name: one for base in reversed(kind.__mro__) for name, one in vars(base).items()}
    for name, member in members.items():
        if mark := getattr(member, "mark", None):
            changes, function = mark
            method = _method(f"{kind.name}.{name}", function, changes=changes)
            found[method.name] = method
    return found


def remote(kind: type[S], call: Callable[[Method, Mapping[str, Any]], Awaitable[Any]]) -> S:
    """
    Make a service whose methods are carried out somewhere else.

    Args:
        kind: the service's class.
        call: is given a method and its arguments by name, and returns the result.
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
        # Not async itself: a coroutine less for each call.
        self.check(name)
        return self._execute(function(self, *args, **kwargs))

    method.mark = (changes, function)  # type: ignore[attr-defined]
    return update_wrapper(method, function)  # type: ignore[return-value]


def _marked_slow(
    function: Callable[Concatenate[S, P], Coroutine[Any, Any, R]], *, changes: bool
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, R]]:
    name = function.__name__

    def method(self: S, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]:
        self.check(name)
        return function(self, *args, **kwargs)

    method.mark = (changes, function)  # type: ignore[attr-defined]
    return update_wrapper(method, function)  # type: ignore[return-value]


def _method(name: str, function: Callable[..., Any], *, changes: bool) -> Method:
    hints = get_type_hints(function)
    plain = not inspect.iscoroutinefunction(function)
    result = hints.pop("return")
    fields: list[Any] = []
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        hint = hints[parameter.name]
        optional = parameter.default is not parameter.empty
        fields.append(
            (parameter.name, hint, parameter.default) if optional else (parameter.name, hint)
        )
    title = "".join(part.title() for part in name.replace("_", ".").split("."))
    arguments = msgspec.defstruct(
        title, fields, kw_only=True, frozen=True, forbid_unknown_fields=True
    )
    if plain:
        [result] = get_args(result)
    return Method(name, changes, arguments, result, plain, function, inspect.getdoc(function) or "")


def _remote_method(
    local: Callable[..., Any],
    method: Method,
    call: Callable[[Method, Mapping[str, Any]], Awaitable[Any]],
) -> Callable[..., Any]:
    signature = inspect.signature(local)

    @wraps(local)
    async def remote_method(self: object, *args: object, **kwargs: object) -> object:
        bound = signature.bind(self, *args, **kwargs)
        given = list(bound.arguments.items())[1:]
        # What is to stay as it is has no form in JSON: it is left out.
        arguments = {name: value for name, value in given if value is not msgspec.UNSET}
        return await call(method, arguments)

    return remote_method


def check_limit(limit: object, most: int) -> int:
    """
    Return how many to return.

    Raises:
        Invalid: it is not a number from 1 to ``most``; True is no number.
    """
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= most:
        raise Invalid(f"The limit is {shown(limit)}; give 1 to {most}.")
    return limit


def check_seq(seq: object) -> int:
    """
    Return a seq, of which there may be no event.

    Raises:
        Invalid: it is not a number from 0 to ``SEQ_MAX``; True is no number.
    """
    if not isinstance(seq, int) or isinstance(seq, bool) or not 0 <= seq <= SEQ_MAX:
        raise Invalid(f"A seq is a number from 0 to {SEQ_MAX}, not {shown(seq)}.")
    return seq


def check_user_id(user_id: object) -> str:
    """Return what may be a user's id, or raise Invalid."""
    if not isinstance(user_id, str):
        raise Invalid(f"A user's id is a string, not {shown(user_id)}.")
    return user_id
