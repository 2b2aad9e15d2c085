"""An account: a name and a password by which a user is known again. Pure."""

from __future__ import annotations

from typing import Any, ClassVar
from unicodedata import normalize

from ..errors import Conflict, Invalid
from ..journal.event import Draft, Event, State
from ..journal.states import States
from ..permissions import check_reading
from ..text import check_name
from .events import (
    AccountCreated,
    AccountEvent,
    AccountLinked,
    PasswordSet,
    SignedOutEverywhere,
)
from .user import UserState

__all__ = [
    "PASSWORD_CHARS_MAX",
    "PASSWORD_CHARS_MIN",
    "AccountState",
    "account_stream",
    "check_password",
    "create_account",
    "set_password",
]

# NIST SP 800-63B: a least length, no rules of what must be in it, and room for a sentence.
PASSWORD_CHARS_MIN = 8
PASSWORD_CHARS_MAX = 1_000


class AccountState(State):
    """The fold of an ``account/NAME`` stream."""

    data_type: ClassVar[Any] = AccountEvent

    user: str = ""
    hash: str = ""

    def apply(self, event: Event) -> None:
        """Take one event in."""
        match event.data:
            case AccountCreated(user, _, hashed):
                self.user, self.hash = user, hashed
            case PasswordSet(hashed):
                self.hash = hashed
            case unknown:
                raise AssertionError(f"not an account's event: {unknown!r}")

    def check_reader(self, stream: str, user: str) -> None:
        """Nobody reads what signs somebody in."""
        check_reading("account")


def account_stream(name: object, chars_max: int) -> str:
    """
    Return the stream of an account's name: letters' case makes no difference.

    Raises:
        Invalid: it cannot be an account's name.
    """
    checked = check_name(name, chars_max, "account's name")
    return f"account/{normalize('NFC', checked.casefold())}"


def check_password(password: object) -> str:
    """
    Return a password in normal form (NFC), as it is hashed.

    Raises:
        Invalid: it has fewer than 8 characters, or more than 1,000.
    """
    good = isinstance(password, str) and (PASSWORD_CHARS_MIN <= len(password) <= PASSWORD_CHARS_MAX)
    # UTF-8, which is what is hashed, has no form for half a surrogate pair.
    if not good or str(password).encode(errors="ignore").decode() != password:
        raise Invalid(
            f"A password has {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters; "
            "take some words that nobody would guess."
        )
    return normalize("NFC", str(password))


def create_account(states: States, stream: str, by: str, name: str, hashed: str) -> list[Draft]:
    """
    Let a user sign in by a name and a password from now on.

    Raises:
        Conflict: the name is taken, or the user has an account.
    """
    user = states.of(UserState, f"user/{by}")
    if user.account:
        raise Conflict(f"You have an account already: {user.account}.")
    if states.of(AccountState, stream).user:
        raise Conflict(f"There is an account called {name}; choose another name.")
    return [
        Draft(stream, AccountCreated(by, name, hashed)),
        Draft(f"user/{by}", AccountLinked(name)),
    ]


def set_password(
    states: States, stream: str, checked: str, hashed: str, keep: str | None
) -> list[Draft]:
    """
    Set another password, and sign the user out everywhere else.

    Args:
        states: what is known.
        stream: the account's.
        checked: the hash that the old password was compared with.
        hashed: what the new one is hashed to.
        keep: the session that stays signed in.

    Raises:
        Conflict: the password was changed meanwhile.
    """
    account = states.of(AccountState, stream)
    if account.hash != checked:
        raise Conflict("The password was changed just now; try again.")
    return [
        Draft(stream, PasswordSet(hashed)),
        Draft(f"user/{account.user}", SignedOutEverywhere(keep)),
    ]
