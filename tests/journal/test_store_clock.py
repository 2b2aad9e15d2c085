"""The time of a store, as its nodes know it."""

from __future__ import annotations

from datetime import timedelta

from hubbub.journal.store_clock import LEARN_SECONDS_MAX, StoreClock
from tests.journal.tally import NOON, SetClock

HOUR = timedelta(hours=1)


def test_until_the_store_has_told_the_time_the_clock_of_the_node_counts() -> None:
    assert StoreClock(SetClock(NOON)).now() == NOON


def test_it_goes_on_from_what_the_store_told_however_wrong_the_node_is() -> None:
    node = SetClock(NOON - HOUR)
    clock = StoreClock(node)
    clock.learn(NOON, asked=0.0)
    node.seconds, node.time = 10.0, NOON + HOUR

    assert clock.now() == NOON + timedelta(seconds=10)
    assert clock.monotonic() == 10.0


def test_it_follows_the_store() -> None:
    node = SetClock(NOON)
    clock = StoreClock(node)
    clock.learn(NOON, asked=0.0)
    clock.learn(NOON + HOUR, asked=0.0)

    assert clock.now() == NOON + HOUR


def test_an_old_answer_tells_no_time_unless_it_is_the_first() -> None:
    node = SetClock(NOON)
    clock = StoreClock(node)
    node.seconds = LEARN_SECONDS_MAX + 1
    clock.learn(NOON + HOUR, asked=0.0)
    clock.learn(NOON, asked=0.0)

    assert clock.now() == NOON + HOUR
