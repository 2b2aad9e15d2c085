from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.errors import NotAllowed
from hubbub.journal.decide.cache_entries import StreamEntry
from hubbub.journal.event import Data, Event
from hubbub.journal.link import Linked
from hubbub.journal.schedule import (
    HUB,
    Schedule,
    Scheduled,
    TimerQueue,
    Unscheduled,
    schedule_entry,
    scheduled,
    unscheduled,
)
from tests.games.board_kit import states_of
from tests.journal.tally import NOON

LATER = NOON + timedelta(seconds=1)


def fold(*data: Data) -> Schedule:
    schedule = Schedule()
    for seq, one in enumerate(data, 1):
        schedule.apply(Event("agenda/matches", seq, NOON, "ann", None, one))
    return schedule


# What is scheduled


def test_what_is_scheduled_is_due_until_it_is_unscheduled() -> None:
    assert fold(Scheduled("match/1", NOON), Scheduled("match/2")).due == {
        "match/1": NOON,
        "match/2": None,
    }
    assert fold(Scheduled("match/1", NOON), Unscheduled("match/1")).due == {}


def test_the_last_plan_counts() -> None:
    assert fold(Scheduled("match/1", NOON), Scheduled("match/1", LATER)).due == {"match/1": LATER}


def test_what_was_not_scheduled_may_be_unscheduled() -> None:
    assert fold(Unscheduled("match/1")).due == {}


def test_what_is_not_of_a_schedule_is_a_mistake() -> None:
    with pytest.raises(AssertionError, match="not an event of a schedule"):
        fold(Linked("match/1"))


def test_a_schedule_is_the_hubs_own() -> None:
    Schedule().check_reader("agenda/matches", HUB)

    with pytest.raises(NotAllowed, match="Only the hub"):
        Schedule().check_reader("agenda/matches", "ann")


# When to look at it


def alarms_at(**seconds: int) -> TimerQueue:
    timers = TimerQueue()
    for to, after in seconds.items():
        timers.set(to, at(after))
    return timers


def at(seconds: int) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_the_earliest_alarm_is_the_next() -> None:
    assert alarms_at(a=3, b=1, c=2).next() == at(1)


def test_without_alarms_there_is_no_next() -> None:
    assert TimerQueue().next() is None
    assert list(TimerQueue().ring(NOON)) == []


def test_what_is_due_rings_once_in_the_order_of_its_time() -> None:
    timers = alarms_at(a=3, b=1, c=2)

    assert list(timers.ring(at(2))) == ["b", "c"]
    assert list(timers.ring(at(2))) == []
    assert timers.next() == at(3)


def test_an_alarm_rings_at_its_very_moment_and_not_before() -> None:
    timers = alarms_at(a=1)

    assert list(timers.ring(at(1) - timedelta(microseconds=1))) == []
    assert list(timers.ring(at(1))) == ["a"]


@pytest.mark.parametrize("seconds", [1, 9])
def test_an_alarm_that_is_moved_rings_at_its_new_time_only(seconds: int) -> None:
    timers = alarms_at(a=5)

    timers.set("a", at(seconds))

    assert timers.next() == at(seconds)
    assert list(timers.ring(at(10))) == ["a"]
    assert timers.next() is None


def test_an_alarm_that_is_cleared_does_not_ring() -> None:
    timers = alarms_at(a=1, b=2)

    timers.set("a", None)
    timers.set("c", None)

    assert timers.next() == at(2)
    assert list(timers.ring(at(10))) == ["b"]


def test_an_alarm_that_is_cleared_and_set_again_rings_once() -> None:
    timers = alarms_at(a=1)
    timers.set("a", None)
    timers.set("a", at(1))

    assert list(timers.ring(at(1))) == ["a"]
    assert timers.next() is None


def test_an_alarm_may_be_set_while_it_rings() -> None:
    timers, rung = alarms_at(a=1, b=1), []
    for to in timers.ring(at(1)):
        rung.append(to)
        timers.set(to, at(2))

    assert rung == ["a", "b"]
    assert timers.next() == at(2)


def test_an_alarm_that_is_moved_again_and_again_leaves_little_behind() -> None:
    timers = alarms_at(b=50_000)
    for second in range(10_000):
        timers.set("a", at(second))

    assert len(timers._heap) <= 2 * 2 + 17
    assert list(timers.ring(at(50_000))) == ["a", "b"]


names = st.sampled_from("abcde")
moments = st.integers(0, 10).map(at)


@given(st.lists(st.tuples(names, st.none() | moments) | moments, max_size=60))
def test_alarms_do_what_a_plain_table_of_times_does(
    steps: list[tuple[str, datetime | None] | datetime],
) -> None:
    timers, plain = TimerQueue(), dict[str, datetime]()

    for step in steps:
        if isinstance(step, datetime):
            due = sorted((when, to) for to, when in plain.items() if when <= step)
            assert list(timers.ring(step)) == [to for _, to in due]
            for _, to in due:
                del plain[to]
        else:
            to, when = step
            timers.set(to, when)
            plain.pop(to, None)
            if when is not None:
                plain[to] = when
        assert timers.next() == min(plain.values(), default=None)


# In the shards


def test_an_entry_is_in_the_shard_of_its_stream() -> None:
    plan, end = (
        scheduled("agenda/matches", "match/1", LATER),
        unscheduled("agenda/matches", "match/1"),
    )
    schedule = Schedule()
    states = states_of(NOON, StreamEntry(plan.stream, schedule))
    schedule.apply(Event(plan.stream, 1, NOON, "ann", None, plan.data))

    assert plan.stream == end.stream
    assert plan.stream.startswith("agenda/matches/")
    assert schedule_entry(states, "agenda/matches", "match/1") == (True, LATER)
    schedule.apply(Event(end.stream, 2, NOON, "ann", None, end.data))
    assert schedule_entry(states, "agenda/matches", "match/1") == (False, None)
