from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.errors import Invalid
from hubbub.json_values import LEVELS_MAX, check_object

plain = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text("aé😊")
values: st.SearchStrategy[Any] = st.recursive(
    plain,
    lambda inside: (
        st.lists(inside, max_size=3) | st.dictionaries(st.text("abc"), inside, max_size=3)
    ),
    max_leaves=9,
)


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"in": value}
    return value


@given(st.dictionaries(st.text("abc"), values, max_size=3))
def test_what_json_can_hold_comes_back_as_it_is(body: dict[str, Any]) -> None:
    assert check_object(body, 100_000, "body") == body


def test_the_result_shares_nothing_with_what_was_given() -> None:
    body: dict[str, Any] = {"list": [1]}
    checked = check_object(body, 100, "body")
    body["list"].append(2)

    assert checked == {"list": [1]}


@pytest.mark.parametrize("body", [None, [1], "text", {1: 2}, {"x": object()}, {"x": "\ud800"}])
def test_what_is_no_object_of_json_is_refused(body: object) -> None:
    with pytest.raises(Invalid, match="body"):
        check_object(body, 100, "body")


def test_an_object_has_a_size() -> None:
    full = {"x": "a" * 92}

    assert check_object(full, 100, "body") == full
    with pytest.raises(Invalid, match="shorten it to 100 or fewer"):
        check_object({"x": "a" * 93}, 100, "body")


def test_an_object_has_a_depth() -> None:
    assert check_object(nested(LEVELS_MAX), 10_000, "body") == nested(LEVELS_MAX)
    with pytest.raises(Invalid, match="nested"):
        check_object(nested(LEVELS_MAX + 1), 10_000, "body")
