"""
The mistakes that a single feature can have, found when a hub opens with it.

The checks exercise its states: they apply every type of event to an empty state, and every
resulting state must survive encoding and decoding, as a snapshot does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any, get_args

import msgspec

from .errors import Invalid
from .event_samples import sample
from .feature import Feature
from .journal.event import Data, Event, State, Streams
from .permissions import ROLES
from .service import Service, methods_of

__all__ = ["check_feature"]

# The features already checked: a process opens few kinds of hub, many times.
FEATURES_CHECKED_MAX = 256
# The attributes of a session besides its services.
TAKEN = {
    *("actor", "close", "follow", "journal_id", "read", "refresh_token", "role", "service"),
    *("session", "signals", "token", "user"),
}
NAME = re.compile(r"[a-z][a-z0-9_]*")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@lru_cache(maxsize=FEATURES_CHECKED_MAX)
def check_feature(feature: Feature) -> None:
    """
    Return if a feature has no mistake of its own.

    Raises:
        Invalid: it has a mistake; the message names it.
    """
    _check_names(feature)
    _check_service(feature)
    for method, role in feature.roles.items():
        if role not in ROLES:
            roles = ", ".join(ROLES)
            raise Invalid(
                f"{_of(feature)} requires the role {role!r} for {method}; use one of {roles}."
            )
    for kind, state in feature.streams.items():
        _check_state(feature, kind, state)


def _check_names(feature: Feature) -> None:
    if not NAME.fullmatch(feature.name) or feature.name in TAKEN:
        raise Invalid(
            f"A feature cannot have the name {feature.name!r}: its name becomes an attribute of "
            "the session. Use lowercase letters, digits and underscores, and a name that no "
            "session attribute has."
        )
    for kind in feature.streams:
        if not NAME.fullmatch(kind):
            raise Invalid(
                f"{_of(feature)} has streams of the kind {kind!r}; use lowercase letters, digits "
                "and underscores."
            )


def _check_service(feature: Feature) -> None:
    kind = feature.service
    if kind is Service:
        return
    if getattr(kind, "name", None) != feature.name:
        raise Invalid(
            f"The service {kind.__name__} has the name {getattr(kind, 'name', None)!r}; give it "
            f"the name of its feature, {feature.name!r}."
        )
    try:
        methods = methods_of(kind)
    except Exception as error:
        raise Invalid(
            f"A method of {kind.__name__} cannot be called over a network: {error}. Annotate each "
            "argument, and the result, with a type that msgspec can decode."
        ) from error
    for name, member in _public(kind):
        if callable(member) and f"{kind.name}.{name}" not in methods:
            raise Invalid(
                f"{kind.__name__}.{name} is neither a command nor a query; mark it with "
                "@command or @query, or begin its name with an underscore."
            )


def _public(kind: type[Service]) -> Iterator[tuple[str, object]]:
    for base in kind.__mro__[: kind.__mro__.index(Service)]:
        for name, member in vars(base).items():
            if not name.startswith("_") and not isinstance(member, type | property):
                yield name, member


# States


def _check_state(feature: Feature, kind: str, state: type[State]) -> None:
    if not isinstance(state, type) or not issubclass(state, State):
        raise Invalid(f"{_of(feature)}: {kind!r} must fold into a subclass of hubbub.domain.State.")
    if getattr(state, "data_type", None) is None:
        raise Invalid(
            f"{state.__name__} does not declare its event types; set data_type, like "
            "`data_type = Opened | Solved`."
        )
    for data in _types_of(state):
        _check_data(state, data)
    try:
        streams = Streams({kind: state})
        _check_round_trip(streams, kind, state())
    except Invalid:
        raise
    except Exception as error:
        raise Invalid(
            f"{state.__name__} cannot be stored: {error}. Check whether two of its event types "
            "have the same tag, or a field has a type that msgspec cannot decode."
        ) from error
    for data in _types_of(state):
        _try(streams, kind, state, data)


def _types_of(state: type[State]) -> tuple[type[Data], ...]:
    return get_args(state.data_type) or (state.data_type,)


def _check_data(state: type[State], data: type[Data]) -> None:
    if not isinstance(data, type) or not issubclass(data, Data):
        raise Invalid(
            f"{state.__name__}.data_type has {data!r}, which is not a subclass of "
            "hubbub.domain.Data."
        )
    if taken := {"at", "by", "ref", "seq", "stream", "type"} & set(data.__struct_fields__):
        raise Invalid(
            f"{data.__name__} has a field {min(taken)!r}, which every event already has; "
            "rename the field."
        )
    same = [one.__name__ for one in _types_of(state) if _tag(one) == _tag(data)]
    if len(same) > 1:
        raise Invalid(
            f"{' and '.join(same)} have the same tag, {_tag(data)!r}; give each event type of "
            f"{state.__name__} its own tag."
        )


def _try(streams: Streams, kind: str, state: type[State], data: type[Data]) -> None:
    """Apply one event to an empty state, which must keep its promises after that."""
    try:
        event = Event(f"{kind}/1", 1, NOON, "user", None, sample(data))
    except Exception:
        # It has a type for which there is no sample value.
        return
    tried, before = state(), streams.encode_state(state())
    try:
        tried.apply(event)
        unhandled = _same(streams.encode_state(tried), before)
    except (AssertionError, NotImplementedError):
        unhandled = True
    except Exception:
        # It may need an earlier event.
        return
    if not unhandled:
        _check_round_trip(streams, kind, tried)
    elif data.__name__ not in _names_in(state) and _tag(data) not in _names_in(state):
        raise Invalid(
            f"{state.__name__}.apply has no case for {data.__name__}; add a case, or remove the "
            "type from data_type."
        )


def _check_round_trip(streams: Streams, kind: str, state: State) -> None:
    encoded = streams.encode_state(state)
    try:
        decoded, twice = (streams.decode_state(f"{kind}/1", encoded) for _ in range(2))
        # If two decoded copies are not equal, the state has a field that cannot be compared.
        if _same(streams.encode_state(decoded), encoded) and (decoded == state or decoded != twice):
            return
        why = "the decoded state differs from the encoded state"
    except (msgspec.MsgspecError, TypeError, ValueError) as error:
        why = str(error)
    raise Invalid(
        f"{type(state).__name__} does not survive a snapshot: {why}. Keep everything in "
        "fields, with types that msgspec can encode and decode."
    )


def _same(one: Any, other: Any) -> bool:
    return bool(one.body == other.body and list(one.parts) == list(other.parts))


def _names_in(state: type[State]) -> set[str]:
    """Return the names and strings that the code of a state mentions, also in what it calls."""
    found: set[str] = set()
    seen: set[int] = set()
    bases = state.__mro__[: state.__mro__.index(State)]
    own = {name: getattr(state, name, None) for base in bases for name in vars(base)}
    functions = [member for member in own.values() if isinstance(member, FunctionType)]
    if any("super" in member.__code__.co_names for member in functions):
        members = [member for base in bases for member in vars(base).values()]
        functions += [member for member in members if isinstance(member, FunctionType)]
    while functions:
        function = functions.pop()
        if id(function) in seen:
            continue
        seen.add(id(function))
        for name in _mentioned(function.__code__):
            found.add(name)
            match function.__globals__.get(name):
                case FunctionType() as called:
                    functions.append(called)
                case list() | tuple() | set() | frozenset() | dict() as kinds:
                    found.update(one.__name__ for one in kinds if isinstance(one, type))
    return found


def _mentioned(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, str):
            yield constant
        elif isinstance(constant, CodeType):
            yield from _mentioned(constant)


def _tag(data: type[Data]) -> str:
    return str(data.__struct_config__.tag)


def _of(feature: Feature) -> str:
    return f"Feature {feature.name!r}"
