"""A message can be made of any value, and stays short."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.shown import SHOWN_CHARS_MAX, repr_without, shown

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside) | st.tuples(inside),
)


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError("it cannot be shown")


def endless() -> Any:
    holder: list[Any] = []
    holder.append(holder)
    return holder


def deep() -> Any:
    found: Any = 1
    for _ in range(100_000):
        found = [found]
    return found


@pytest.mark.parametrize("value", [5, "ann", None, 1.5, ["a"], {"a": 1}, True, b"x", "\ud800"])
def test_a_short_value_is_shown_as_python_shows_it(value: object) -> None:
    assert shown(value) == repr(value)


@given(values)
def test_what_is_shown_is_short(value: object) -> None:
    assert 0 < len(shown(value)) <= SHOWN_CHARS_MAX


@pytest.mark.parametrize(
    "value",
    ["x" * 10**6, 10**400, -(10**5_000), Broken(), endless(), deep(), {"a": Broken()}],
    ids=["long", "many digits", "too many digits", "broken", "endless", "deep", "broken inside"],
)
def test_what_is_hard_to_show_is_shown_somehow(value: object) -> None:
    text = shown(value)

    assert 0 < len(text) <= SHOWN_CHARS_MAX
    # It can be sent, too.
    text.encode()


@pytest.mark.parametrize(
    "value",
    [10**5000, -(10**5000), "x" * 100_000, b"x" * 1_000, ["x"] * 1_000, float("nan"), None],
    ids=range(7),
)
def test_a_message_shows_a_value_in_short_whatever_it_is(value: object) -> None:
    assert 0 < len(shown(value)) <= SHOWN_CHARS_MAX


def test_what_is_nested_deep_or_cannot_be_written_is_shown_all_the_same() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]

    assert len(shown(deep)) <= SHOWN_CHARS_MAX
    assert shown("a\ud800") == r"'a\ud800'"


class Login(msgspec.Struct):
    name: str
    password: str | None


def test_a_secret_field_is_not_shown_and_an_empty_one_is() -> None:
    assert repr_without(Login("ann", "s3"), "password") == "Login(name='ann', password=***)"
    assert repr_without(Login("ann", None), "password") == "Login(name='ann', password=None)"
