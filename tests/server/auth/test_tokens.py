"""Signed tokens."""

from __future__ import annotations

import base64
import hmac
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub import Invalid, NotAllowed, Settings
from hubbub.server.auth.tokens import (
    SESSION_CHARS_MAX,
    TOKEN_CHARS_MAX,
    VERIFIED_MAX,
    Identity,
    Tokens,
)


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


def test_a_refresh_token_says_which_one_of_its_sign_in_it_is() -> None:
    tokens, clock = tokens_and_clock()
    first = tokens.verify(tokens.refresh_token(Identity("ann", session="1"), 0))
    clock.at += timedelta(seconds=499)
    other = tokens.verify(tokens.refresh_token(first, 1))

    assert (first.generation, other.generation) == (0, 1)
    assert other.expires > first.expires
    assert other.refreshes
    assert other.session == "1"


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
        (str(n).encode(), tokens.verify(tokens.sign("ann"))) for n in range(VERIFIED_MAX)
    )
    tokens.verify(tokens.sign("bob"))

    assert len(tokens._verified) <= VERIFIED_MAX + 1
    assert max(map(len, tokens._verified)) <= 32


def segment(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


DEEP = b"[" * 5_000 + b"]" * 5_000
GIANT = b"1" * 5_000
headers = st.sampled_from(
    [
        b'{"alg":"HS256"}',
        b'{"alg":"none"}',
        b'{"alg":"HS256","kid":["a"]}',
        b'{"alg":"HS256","crit":["b64"],"b64":false}',
        b'{"alg":"HS256","x":%b}' % DEEP,
        b'{"alg":"HS256","x":%b}' % GIANT,
        b'{"alg":%b}' % GIANT,
        b'{"alg":"HS256","typ":1}',
        b'{"alg":"\\ud800"}',
        b"null",
        DEEP,
        b"\xff",
    ]
)
payloads = headers | st.sampled_from(
    [
        b'{"sub":"ann","exp":1e400}',
        b'{"sub":"ann","exp":NaN}',
        b'{"sub":"ann","exp":9e9,"iat":NaN}',
        b'{"sub":"ann","exp":%b}' % GIANT,
        b'{"sub":"ann","exp":9e9,"gen":%b}' % (b"9" * 400),
        b'{"sub":"ann","exp":9e9,"gen":-1}',
        b'{"sub":"ann","exp":9e9,"sid":"\\ud800"}',
        b'{"sub":"\\ud800","exp":9e9}',
        b'{"sub":"a/b","exp":9e9}',
        b'{"sub":"","exp":9e9}',
        b'{"sub":"ann","exp":9e9,"x":%b}' % DEEP,
        b'{"sub":"ann","exp":9e9}',
    ]
)


@st.composite
def made_up_tokens(draw: st.DrawFn) -> str:
    """Draw a token that is signed by us, or by nobody, and whose parts may be anything."""
    signed = f"{segment(draw(headers))}.{segment(draw(payloads))}"
    by_us = hmac.digest(SECRET.encode(), signed.encode(), "sha256")
    return f"{signed}.{segment(draw(st.just(by_us) | st.binary(max_size=32)))}"


tokens_of_any_kind = (
    made_up_tokens() | st.text() | st.text("\ud800\udfff.aA=_-") | st.just("a." * 9)
)


@given(tokens_of_any_kind)
def test_whatever_is_sent_as_a_token_is_refused_or_names_somebody(token: str) -> None:
    tokens, _ = tokens_and_clock()
    try:
        identity = tokens.verify(token)
    except NotAllowed:
        assert tokens.is_ours(token) in (True, False)
        return

    assert identity.user
    assert identity.user.isprintable()
    assert math.isfinite(identity.expires)


def test_a_token_that_is_too_long_is_not_looked_at() -> None:
    tokens, _ = tokens_and_clock()
    good = tokens.sign("ann", session="s" * SESSION_CHARS_MAX)

    assert tokens.verify(good).user == "ann"
    with pytest.raises(NotAllowed, match="at most"):
        tokens.verify("x" * (TOKEN_CHARS_MAX + 1))
    with pytest.raises(NotAllowed):
        tokens.verify(tokens.sign("ann", session="s" * (SESSION_CHARS_MAX + 1)))


@pytest.mark.parametrize("user", ["", "a/b", "a\n", "x" * 101, 42, None])
def test_no_token_is_signed_for_what_is_no_user(user: Any) -> None:
    with pytest.raises(Invalid, match="user id"):
        Tokens(SECRET, Settings()).sign(user)


@pytest.mark.parametrize("role", ["", "boss", None])
def test_no_token_is_signed_with_an_unknown_role(role: Any) -> None:
    with pytest.raises(Invalid, match="user, moderator, admin"):
        Tokens(SECRET, Settings()).sign("ann", role)
