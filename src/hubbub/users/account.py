"""An account: a name and a password that a user signs in with. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar
from unicodedata import normalize

import msgspec

from ..errors import Conflict, Invalid
from ..journal.decide.states import States
from ..journal.event import STREAM_BYTES_MAX, Draft, Event, State
from ..names import check_person_name, name_key, skeletons
from ..permissions import check
from ..shown import repr_without
from ..stream_names import user_stream
from ..text import check_name
from .events import (
    AccountCreated,
    AccountEvent,
    AccountLinked,
    NameClaimed,
    PasswordSet,
    SignedOutEverywhere,
)
from .grants import USERS_READERS
from .user import UserState

__all__ = [
    "PASSWORD_CHARS_MAX",
    "PASSWORD_CHARS_MIN",
    "AccountState",
    "account_stream",
    "check_account_name",
    "check_nickname",
    "check_password",
    "claim",
    "claim_shown",
    "claim_streams",
    "create_account",
    "find_account",
    "set_password",
    "streams_of",
]

# The shortest password, in characters. NIST SP 800-63B: a minimum length, no rules about the
# characters, and room for a sentence.
PASSWORD_CHARS_MIN = 8
# The longest password, in characters.
PASSWORD_CHARS_MAX = 1_000
# The nickname of a guest who gives none.
RESERVED = "Guest"


def without_hash(body: bytes) -> bytes:
    """Return an encoded event of an account without the password's hash."""
    event = msgspec.json.decode(body)
    return msgspec.json.encode(event | {"hash": ""}) if "hash" in event else body


class AccountState(State):
    """
    The fold of an ``account/NAME`` stream.

    A stream whose name begins with a space belongs to no account, because no name does. It
    records which user holds the names that look alike, by their skeleton.
    """

    data_type: ClassVar[Any] = AccountEvent
    # The first version did not fold the name that was claimed.
    version: ClassVar[int] = 1
    public_form: ClassVar[Callable[[bytes], bytes]] = without_hash

    user: str = ""
    hash: str = ""
    # The user who holds the look-alike names, as long as they still use the claimed name.
    holder: str = ""
    claimed: str = ""

    def __repr__(self) -> str:
        return repr_without(self, "hash")

    def apply(self, event: Event) -> None:
        """Fold one event."""
        match event.data:
            case AccountCreated(user, _, hashed):
                self.user, self.hash = user, hashed
            case PasswordSet(hashed):
                self.hash = hashed
            case NameClaimed(user, name):
                self.holder, self.claimed = user, name
            case unknown:
                raise AssertionError(f"not an account's event: {unknown!r}")

    def check_reader(self, stream: str, user: str) -> None:
        """Refuse every reader: the stream holds a password's hash."""
        check(USERS_READERS["account"])


def _stream(key: str) -> str:
    return f"account/{key}"


def account_stream(name: object, chars_max: int) -> str:
    """
    Return the stream of an account's name, as older versions named it.

    Raises:
        Invalid: the text cannot be the name of an account.
    """
    checked = check_name(name, chars_max, "account's name")
    return _stream(normalize("NFC", checked.casefold()))


def streams_of(name: object, chars_max: int) -> tuple[str, ...]:
    """
    Return the streams where an account may be; case, width and form make no difference.

    Raises:
        Invalid: the text cannot be the name of an account.
    """
    checked = " ".join(check_name(name, chars_max, "account's name").split())
    return tuple(dict.fromkeys((account_stream(name, chars_max), _stream(name_key(checked)))))


def find_account(states: States, streams: Sequence[str]) -> str:
    """Return the stream that holds an account; if none does, the stream for a new one."""
    states.need(streams)
    taken = [stream for stream in streams if states.of(AccountState, stream).user]
    return taken[0] if taken else streams[-1]


def check_account_name(name: object, chars_max: int) -> str:
    """
    Return the name of a new account in normal form.

    Raises:
        Invalid: the text cannot be the name of an account.
    """
    checked = check_person_name(name, chars_max, "account's name")
    if set(skeletons(checked)) & set(skeletons(RESERVED)):
        raise Invalid(f"Every new guest has the name {RESERVED}; choose another name.")
    return checked


def claim_streams(name: str) -> tuple[str, ...]:
    """Return the streams that record which user holds the names that look like this one."""
    # A user's id may have no visible character.
    return tuple(_stream(f" {skeleton}") for skeleton in skeletons(name) if skeleton)


def claim(states: States, user: str, name: str) -> list[Draft]:
    """Reserve the names that look like an account's for its user, as far as they are free."""
    streams = claim_streams(name)
    holders = _holders(states, streams)
    # A nickname yields to an account's name, because a nickname can change.
    mine = [stream for stream in streams if holders.get(stream, user) == user]
    new = NameClaimed(user, name)
    return [Draft(stream, new) for stream in mine if not _is_claimed(states, stream, new)]


def claim_shown(states: States, user: str, nickname: str) -> list[Draft]:
    """
    Claim a nickname that the application or a role vouches for, as far as it is free.

    Unlike the name of an account it is never refused: a name that is taken stays taken.
    """
    if set(skeletons(nickname)) & set(skeletons(RESERVED)):
        return []
    streams = [s for s in claim_streams(nickname) if len(s.encode()) <= STREAM_BYTES_MAX]
    holders = _holders(states, streams)
    return [Draft(s, NameClaimed(user, nickname)) for s in streams if s not in holders]


def check_nickname(states: States, nickname: str, user: str) -> None:
    """
    Return if a nickname does not look like a name that another user holds.

    Raises:
        Conflict: it looks like another user's name.
    """
    if _looks_taken(states, nickname, user):
        raise Conflict(
            f"{nickname} looks like the name of another user; sign in as that user, "
            "or choose another name."
        )


def _looks_taken(states: States, name: str, user: str) -> bool:
    return any(holder != user for holder in _holders(states, claim_streams(name)).values())


def _holders(states: States, streams: Sequence[str]) -> dict[str, str]:
    """Return the holder of each stream's names, if that user still has the claimed name."""
    states.need(streams)
    claims = {stream: states.of(AccountState, stream) for stream in streams}
    held = {stream: claim for stream, claim in claims.items() if claim.holder}
    states.need([user_stream(claim.holder) for claim in held.values()])
    return {
        stream: claim.holder
        for stream, claim in held.items()
        if _goes_by(states.of(UserState, user_stream(claim.holder)), claim.claimed)
    }


def _is_claimed(states: States, stream: str, claim: NameClaimed) -> bool:
    state = states.of(AccountState, stream)
    return (state.holder, state.claimed) == (claim.user, claim.name)


def _goes_by(user: UserState, name: str) -> bool:
    return name in (user.account, user.nickname)


def check_password(password: object) -> str:
    """
    Return a password in normal form (NFC), ready to hash.

    Raises:
        Invalid: it has fewer than 8 characters, or more than 1,000.
    """
    good = isinstance(password, str) and (PASSWORD_CHARS_MIN <= len(password) <= PASSWORD_CHARS_MAX)
    # The hash is of UTF-8, which cannot encode half a surrogate pair.
    if not good or str(password).encode(errors="ignore").decode() != password:
        raise Invalid(
            f"A password must have {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters; "
            "use several words that nobody would guess."
        )
    return normalize("NFC", str(password))


def create_account(
    states: States, streams: Sequence[str], by: str, name: str, hashed: str
) -> list[Draft]:
    """
    Create an account, so that a user can sign in with a name and a password.

    Args:
        states: the states to decide on.
        streams: the streams where an account of this name may be.
        by: the user.
        name: the account's name, as :func:`check_account_name` returns it.
        hashed: the hash of the password.

    Raises:
        Conflict: the name, or one that looks like it, is taken, or the user has an account.
    """
    user = states.of(UserState, user_stream(by))
    if user.account:
        raise Conflict(f"You already have an account: {user.account}.")
    stream = find_account(states, streams)
    if states.of(AccountState, stream).user:
        raise Conflict(f"There is an account called {name}; choose another name.")
    if _looks_taken(states, name, by):
        raise Conflict(f"{name} looks like the name of another user; choose another name.")
    return [
        Draft(stream, AccountCreated(by, name, hashed)),
        Draft(user_stream(by), AccountLinked(name)),
        *claim(states, by, name),
    ]


def set_password(
    states: States, stream: str, checked: str, hashed: str, keep: str | None
) -> list[Draft]:
    """
    Set another password, and revoke the user's other sign-ins.

    Args:
        states: the states to decide on.
        stream: the account's stream.
        checked: the hash that the old password was verified with.
        hashed: the hash of the new password.
        keep: the session that stays signed in.

    Raises:
        Conflict: the password has changed in the meantime.
    """
    account = states.of(AccountState, stream)
    if account.hash != checked:
        raise Conflict("The password has just been changed; try again.")
    return [
        Draft(stream, PasswordSet(hashed)),
        Draft(user_stream(account.user), SignedOutEverywhere(keep)),
    ]
