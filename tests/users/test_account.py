"""Names and passwords."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hubbub.errors import Invalid, NotAllowed
from hubbub.journal.event import Data, Event, Streams, encode_event
from hubbub.users.account import AccountState, account_stream, check_password, without_hash
from hubbub.users.events import AccountCreated, NameClaimed, PasswordSet
from hubbub.users.user import SignInReference, UserState


def test_names_that_look_alike_are_one() -> None:
    names = ["Zoe\u0308", "ZO\u00cb", " zo\u00eb "]

    assert {account_stream(name, 100) for name in names} == {"account/zo\u00eb"}


@pytest.mark.parametrize("name", ["", " ", "a\nb", 7, None, "x" * 101])
def test_a_name_has_limits(name: object) -> None:
    with pytest.raises(Invalid):
        account_stream(name, 100)


def test_a_password_is_the_same_however_it_was_typed() -> None:
    assert check_password("cafe\u0301 creme") == check_password("caf\u00e9 creme")


@pytest.mark.parametrize("password", [None, 12345678, "short", "\ud800" * 8])
def test_what_is_no_password_is_refused(password: object) -> None:
    with pytest.raises(Invalid, match="8 to 1000"):
        check_password(password)


def test_nobody_reads_an_account() -> None:
    with pytest.raises(NotAllowed):
        AccountState("ann", "hash").check_reader("account/ann", "ann")


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (AccountCreated("ann", "Ann", "$argon2id$x"), AccountCreated("ann", "Ann", "")),
        (PasswordSet("$argon2id$x"), PasswordSet("")),
        (NameClaimed("ann", 'hash":"'), NameClaimed("ann", 'hash":"')),
    ],
)
def test_what_is_shown_of_an_account_has_no_hash(data: Data, shown: Data) -> None:
    streams = Streams({"account": AccountState})
    event = Event("account/ann", 1, datetime.fromtimestamp(20.0, UTC), "ann", None, data)

    body = without_hash(encode_event(event))

    assert b"argon2" not in body
    assert streams.decode(body).data == shown


def test_a_sign_in_is_over_when_it_was_signed_out_or_is_too_old() -> None:
    user = UserState(good_after=10.0, kept_session="kept")
    now = datetime.fromtimestamp(20.0, UTC)
    for reference in (
        SignInReference(),
        SignInReference("kept", 1.0),
        SignInReference("new", 10.0),
    ):
        user.check_signed_in(reference, now)

    with pytest.raises(NotAllowed):
        user.check_signed_in(SignInReference("old", 9.9), now)
