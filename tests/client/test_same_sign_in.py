"""Whether two tokens are of one sign-in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hubbub import Settings
from hubbub.client.same_sign_in import is_of_same_sign_in, sign_in_of
from hubbub.server.auth.tokens import Identity, Tokens

TOKENS = Tokens("s" * 64, Settings())


def token(session: str, generation: int) -> str:
    return TOKENS.refresh_token(Identity("ann", session=session), generation)


def test_tokens_of_one_sign_in_are_told_from_others() -> None:
    assert is_of_same_sign_in(token("1", 0), token("1", 7))
    assert not is_of_same_sign_in(token("1", 0), token("2", 0))


def test_tokens_that_name_no_sign_in_are_of_none() -> None:
    assert not is_of_same_sign_in("secret", "secret")


@given(st.text() | st.lists(st.text(), min_size=3, max_size=3).map(".".join))
def test_whatever_an_application_takes_as_a_token_is_looked_at(text: str) -> None:
    assert sign_in_of(text) is None
