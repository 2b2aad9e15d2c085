from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.client.reconnect import DELAY_SECONDS_MAX, Backoff, comes_back
from tests.client.played import Longest


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1006, 1009, 1011, 1012, 3000, 3001, 3499, 4000])
def test_one_comes_back(code: int) -> None:
    assert comes_back(code)


@pytest.mark.parametrize("code", [1008, 3500, 3999])
def test_one_does_not_come_back(code: int) -> None:
    assert not comes_back(code)


def test_each_wait_may_be_twice_as_long_up_to_a_limit() -> None:
    backoff = Backoff(Longest())

    assert [backoff.next() for _ in range(5)] == [0.1, 0.2, 0.4, 0.8, 1.6]
    assert [backoff.next() for _ in range(4)][-2:] == [DELAY_SECONDS_MAX] * 2


def test_after_a_good_connection_it_begins_anew() -> None:
    backoff = Backoff(Longest())
    for _ in range(5):
        backoff.next()
    backoff.reset()

    assert backoff.next() == 0.1


@given(st.integers())
def test_all_of_a_wait_is_left_to_chance(seed: int) -> None:
    backoff, longest = Backoff(random.Random(seed)), Backoff(Longest())

    assert all(0 <= backoff.next() <= longest.next() for _ in range(10))
