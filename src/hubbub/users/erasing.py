"""Events of a user without the person: no name, no password. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..journal.event import Data
from .events import (
    AccountCreated,
    AccountLinked,
    NameClaimed,
    PasswordSet,
    Profiled,
    Registered,
)
from .user import default_avatar

__all__ = ["ERASED_EVENTS", "ERASED_NICKNAME"]

# The nickname that others see of an erased user.
ERASED_NICKNAME = "Erased user"


def _registered(data: Registered, user: str) -> Registered:
    return Registered(ERASED_NICKNAME, default_avatar(user), data.session)


def _profiled(data: Profiled, user: str) -> Profiled:
    return Profiled(ERASED_NICKNAME, default_avatar(user))


def _linked(data: AccountLinked, user: str) -> AccountLinked:
    return AccountLinked("")


def _created(data: AccountCreated, user: str) -> AccountCreated:
    return AccountCreated(user, "", "") if data.user == user else data


def _password(data: PasswordSet, user: str) -> PasswordSet:
    return PasswordSet("")


def _claimed(data: NameClaimed, user: str) -> NameClaimed:
    return NameClaimed(user, "") if data.user == user else data


ERASED_EVENTS: Mapping[type[Data], Callable[[Any, str], Data]] = {
    Registered: _registered,
    Profiled: _profiled,
    AccountLinked: _linked,
    AccountCreated: _created,
    PasswordSet: _password,
    NameClaimed: _claimed,
}
