"""Signed tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import jwt
import pytest

from hubbub import NotAllowed, Settings
from hubbub.server.auth import VERIFIED_MAX, Identity, Tokens


class SetClock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        """Return the time that was set."""
        return self.at

    def monotonic(self) -> float:
        """Return its seconds."""
        return self.at.timestamp()


SECRET = "s" * 64


def tokens_and_clock(secret: str = SECRET) -> tuple[Tokens, SetClock]:
    clock = SetClock()
    return Tokens(secret, Settings(clock=clock, token_seconds=100, refresh_seconds=1000)), clock


def test_a_token_names_its_user() -> None:
    tokens, _ = tokens_and_clock()
    identity = tokens.verify(tokens.sign("ann", "moderator"))

    assert (identity.user, identity.role) == ("ann", "moderator")


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c"])
def test_nonsense_is_refused(token: str) -> None:
    with pytest.raises(NotAllowed):
        tokens_and_clock()[0].verify(token)


def test_a_token_of_another_secret_is_refused() -> None:
    token = tokens_and_clock("x" * 64)[0].sign("ann")

    with pytest.raises(NotAllowed):
        tokens_and_clock()[0].verify(token)


def test_a_changed_token_is_refused() -> None:
    tokens, _ = tokens_and_clock()
    head, claims, signature = tokens.sign("ann").split(".")
    _, others, _ = tokens.sign("bob").split(".")

    with pytest.raises(NotAllowed):
        tokens.verify(f"{head}.{others}.{signature}")
    assert claims != others


def test_a_token_expires_even_if_it_was_good_before() -> None:
    tokens, clock = tokens_and_clock()
    token = tokens.sign("ann")
    tokens.verify(token)
    clock.at += timedelta(seconds=100)

    with pytest.raises(NotAllowed, match="expired"):
        tokens.verify(token)


def test_a_refresh_token_is_renewed_when_half_its_life_is_over() -> None:
    tokens, clock = tokens_and_clock()
    first = tokens.refresh_token(None, Identity("ann", session="1"))
    clock.at += timedelta(seconds=499)
    same = tokens.refresh_token(first, tokens.verify(first))
    clock.at += timedelta(seconds=2)
    other = tokens.refresh_token(first, tokens.verify(first))

    assert same == first
    assert tokens.verify(other).expires > tokens.verify(first).expires
    assert tokens.verify(other).refreshes
    assert tokens.verify(other).session == "1"


def test_an_access_token_gets_no_others() -> None:
    tokens, _ = tokens_and_clock()

    assert not tokens.verify(tokens.sign("ann")).refreshes


def test_a_token_without_a_session_has_one_of_its_own() -> None:
    tokens, _ = tokens_and_clock()
    one, other = (tokens.verify(tokens.sign(user)) for user in ("ann", "bob"))

    assert one.session is not None
    assert one.session != other.session


@pytest.mark.parametrize("claims", [{"role": "king"}, {"sub": 7}, {"iat": "now"}])
def test_claims_that_mean_nothing_are_refused(claims: dict[str, object]) -> None:
    tokens, clock = tokens_and_clock()
    whole = {"sub": "ann", "exp": clock.at.timestamp() + 1, **claims}
    token = jwt.encode(whole, SECRET, algorithm="HS256")

    with pytest.raises(NotAllowed):
        tokens.verify(token)


def test_what_is_remembered_of_good_tokens_is_bounded() -> None:
    tokens, _ = tokens_and_clock()
    tokens._verified.update(
        (str(n), tokens.verify(tokens.sign("ann"))) for n in range(VERIFIED_MAX)
    )
    tokens.verify(tokens.sign("bob"))

    assert len(tokens._verified) <= VERIFIED_MAX + 1
