from __future__ import annotations

import pytest

from hubbub import errors
from hubbub.errors import (
    Banned,
    Closed,
    Conflict,
    Encrypted,
    HookUnavailable,
    HubbubError,
    Invalid,
    KeyReused,
    Muted,
    NoOpponent,
    NotAllowed,
    NotAuthor,
    NotEncrypted,
    NotFound,
    NotMember,
    OtherDevices,
    OutOfStock,
    Overloaded,
    PaymentDeclined,
    PriceUnavailable,
    RateLimited,
    RosterChanged,
    StorageError,
    StoreTooOld,
    Untrusted,
    error_from_code,
)

# Other people's clients are written against these: what is in a released version stays.
KINDS: list[tuple[type[HubbubError], str, str | None, int, int]] = [
    (NotFound, "not_found", None, 404, -32004),
    (NoOpponent, "not_found", "no_opponent", 404, -32004),
    (NotAllowed, "not_allowed", None, 403, -32003),
    (NotMember, "not_allowed", "not_member", 403, -32003),
    (Banned, "not_allowed", "banned", 403, -32003),
    (Muted, "not_allowed", "muted", 403, -32003),
    (NotAuthor, "not_allowed", "not_author", 403, -32003),
    (Untrusted, "not_allowed", "untrusted", 403, -32003),
    (Invalid, "invalid", None, 422, -32602),
    (Conflict, "conflict", None, 409, -32009),
    (KeyReused, "conflict", "key_reused", 409, -32009),
    (OutOfStock, "conflict", "out_of_stock", 409, -32009),
    (OtherDevices, "conflict", "other_devices", 409, -32009),
    (Encrypted, "conflict", "encrypted", 409, -32009),
    (NotEncrypted, "conflict", "not_encrypted", 409, -32009),
    (RosterChanged, "conflict", "roster_changed", 409, -32009),
    (StoreTooOld, "conflict", "store_too_old", 409, -32009),
    (RateLimited, "rate_limited", None, 429, -32029),
    (Overloaded, "overloaded", None, 503, -32050),
    (HookUnavailable, "overloaded", "hook_unavailable", 503, -32050),
    (PriceUnavailable, "overloaded", "price_unavailable", 503, -32050),
    (Closed, "closed", None, 503, -32051),
    (StorageError, "storage", None, 507, -32052),
    (PaymentDeclined, "payment_declined", None, 402, -32002),
]

by_kind = pytest.mark.parametrize(("kind", "code", "reason", "http_status", "rpc_code"), KINDS)


def test_the_table_has_every_error() -> None:
    kinds = {getattr(errors, name) for name in errors.__all__} - {HubbubError, error_from_code}

    assert {row[0] for row in KINDS} == kinds


@by_kind
def test_an_error_has_its_codes(
    kind: type[HubbubError], code: str, reason: str | None, http_status: int, rpc_code: int
) -> None:
    assert (kind.code, kind.reason) == (code, reason)
    assert (kind.http_status, kind.rpc_code) == (http_status, rpc_code)


@by_kind
def test_the_same_error_comes_out_of_its_code(
    kind: type[HubbubError], code: str, reason: str | None, http_status: int, rpc_code: int
) -> None:
    error = error_from_code(code, "Do this.", reason=reason, retry_after=2.5)

    assert type(error) is kind
    assert (error.message, error.retry_after, str(error)) == ("Do this.", 2.5, "Do this.")


def test_each_code_with_its_reason_names_one_error() -> None:
    assert len({(code, reason) for _, code, reason, _, _ in KINDS}) == len(KINDS)


def test_each_code_has_one_number_on_the_wire() -> None:
    pairs = {(code, rpc_code) for _, code, _, _, rpc_code in KINDS}

    assert len(pairs) == len({code for code, _ in pairs}) == len({rpc for _, rpc in pairs})


def test_the_base_class_cannot_be_raised() -> None:
    with pytest.raises(TypeError, match="subclass"):
        raise HubbubError("something")


def test_a_wait_is_known_only_if_told() -> None:
    assert NotFound("There is no such room.").retry_after is None
    assert Muted("You are muted.", retry_after=30.0).retry_after == 30.0


def test_an_unknown_reason_gives_the_class_of_its_code() -> None:
    assert type(error_from_code("not_allowed", "No.", reason="too_young")) is NotAllowed


def test_an_unknown_code_gives_a_conflict() -> None:
    assert type(error_from_code("eclipse", "Wait.", reason="partial")) is Conflict
    assert type(error_from_code("error", "Wait.")) is Conflict


def test_whoever_catches_a_code_catches_its_reasons() -> None:
    for kind, code, _, _, _ in KINDS:
        assert issubclass(kind, type(error_from_code(code, "")))
