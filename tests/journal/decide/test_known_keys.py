"""The filter of used keys."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hubbub.journal.decide.known_keys import KnownKeys

KEYS = st.tuples(st.text(max_size=8), st.text(min_size=1, max_size=8))


@given(used=st.lists(KEYS), others=st.lists(KEYS))
def test_a_used_key_is_never_new(
    used: list[tuple[str, str]], others: list[tuple[str, str]]
) -> None:
    known = KnownKeys(1 << 10)
    known.complete = True
    for by, key in used:
        known.add(by, key)

    assert not any(known.is_new(by, key) for by, key in used)
    if not used:
        assert all(known.is_new(by, key) for by, key in others)


def test_few_new_keys_are_taken_for_used_keys() -> None:
    known = KnownKeys(1 << 17)
    known.complete = True
    for number in range(10_000):
        known.add("ann", f"used {number}")

    wrong = sum(not known.is_new("ann", f"new {number}") for number in range(10_000))
    # With 13 bits for each key, the filter's formula expects two in a hundred.
    assert wrong < 400


def test_until_the_filter_is_complete_no_key_is_new() -> None:
    known = KnownKeys()
    assert not known.is_new("ann", "key")

    known.complete = True
    assert known.is_new("ann", "key")
