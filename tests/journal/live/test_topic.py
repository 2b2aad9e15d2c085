from __future__ import annotations

from collections.abc import Sequence

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.journal.live.topic import (
    BATCH_EVENTS_MAX,
    EVENT_BATCH_BYTES_MAX,
    TAIL_BYTES_MAX,
    TAIL_EVENTS_MAX,
    Follower,
    Topic,
    cut,
)


def bodies(first: int, last: int) -> list[bytes]:
    return [b"%d" % seq for seq in range(first, last + 1)]


def as_array(bodies: Sequence[bytes]) -> bytes:
    return b"[" + b",".join(bodies) + b"]"


def as_lines(bodies: Sequence[bytes]) -> bytes:
    return b"\n".join(bodies)


def topic_with(count: int, *, head: int = 0) -> Topic:
    topic = Topic(head)
    topic.publish(bodies(head + 1, head + count))
    return topic


def read_all(topic: Topic, cursor: int) -> list[bytes]:
    found: list[bytes] = []
    while cursor < topic.head:
        batch = topic.since(cursor)
        found += batch
        cursor += len(batch)
    return found


@given(st.integers(0, 1 << 40), st.lists(st.integers(1, 900), max_size=6))
def test_the_tail_has_no_gap_and_ends_at_the_head(start: int, sizes: list[int]) -> None:
    topic = Topic(start)
    for size in sizes:
        topic.publish(bodies(topic.head + 1, topic.head + size))

    assert topic.head == start + sum(sizes)
    assert read_all(topic, topic.base) == bodies(topic.base + 1, topic.head)


@given(st.lists(st.integers(1, 900), min_size=1, max_size=6))
def test_the_tail_is_bounded_and_not_too_short(sizes: list[int]) -> None:
    topic = Topic(0)
    for size in sizes:
        topic.publish(bodies(topic.head + 1, topic.head + size))

    assert topic.head - topic.base <= 2 * TAIL_EVENTS_MAX
    assert topic.head - topic.base >= min(TAIL_EVENTS_MAX, sum(sizes))


@given(st.lists(st.integers(1, TAIL_BYTES_MAX), min_size=1, max_size=12))
def test_the_tail_is_bounded_in_bytes_too(sizes: list[int]) -> None:
    topic = Topic(0)
    for size in sizes:
        topic.publish([b"x" * size])

    assert sum(map(len, read_all(topic, topic.base))) <= 2 * TAIL_BYTES_MAX


def test_an_event_larger_than_the_tail_goes_by() -> None:
    topic = Topic(0)
    topic.publish([b"x" * (2 * TAIL_BYTES_MAX + 1)])

    assert topic.base == topic.head == 1


def test_what_left_the_tail_is_not_given_for_something_else() -> None:
    topic = topic_with(2 * TAIL_EVENTS_MAX + 1)

    with pytest.raises(AssertionError):
        topic.since(topic.base - 1)


def test_a_batch_is_made_once_for_all_who_are_at_the_same_place() -> None:
    topic = topic_with(3)

    batch, last = topic.batch(1, as_array)
    same, _ = topic.batch(1, as_array)

    assert (batch, last) == (b"[2,3]", 3)
    assert same is batch


def test_each_form_of_a_batch_is_its_own() -> None:
    topic = topic_with(2)

    assert topic.batch(0, as_array) == (b"[1,2]", 2)
    assert topic.batch(0, as_lines) == (b"1\n2", 2)


def test_a_batch_has_what_was_published_since() -> None:
    topic = topic_with(1)
    topic.batch(0, as_array)
    topic.publish([b"2"])

    assert topic.batch(0, as_array) == (b"[1,2]", 2)


def test_a_batch_is_bounded() -> None:
    topic = topic_with(BATCH_EVENTS_MAX + 5)

    batch, last = topic.batch(0, as_array)

    assert (batch, last) == (as_array(bodies(1, BATCH_EVENTS_MAX)), BATCH_EVENTS_MAX)
    assert topic.batch(last, as_array)[1] == BATCH_EVENTS_MAX + 5


def test_nothing_is_given_past_the_end_of_a_right() -> None:
    topic = topic_with(10)

    assert topic.since(2, until=5) == bodies(3, 5)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_older_events_are_put_before_the_tail_only_where_they_adjoin(
    start: int, after: int, count: int
) -> None:
    topic = topic_with(5, head=start)

    topic.backfill(after, bodies(after + 1, after + count))

    expected = after if after + count == start else start
    assert topic.base == expected
    assert read_all(topic, topic.base) == bodies(expected + 1, start + 5)


def test_older_events_do_not_make_the_tail_longer_than_its_limit() -> None:
    topic = topic_with(TAIL_EVENTS_MAX, head=100)

    topic.backfill(99, bodies(100, 100))

    assert topic.base == 100


async def test_all_who_wait_are_woken_by_one_publication() -> None:
    topic, woken = Topic(0), list[int]()

    async def follow(number: int) -> None:
        await topic.wait(0)
        woken.append(number)

    async with anyio.create_task_group() as tasks:
        for number in range(3):
            tasks.start_soon(follow, number)
        await anyio.wait_all_tasks_blocked()
        assert woken == []
        topic.publish([b"1"])

    assert sorted(woken) == [0, 1, 2]


async def test_who_lags_does_not_wait() -> None:
    topic = topic_with(2)

    with anyio.fail_after(1):
        await topic.wait(1)


async def test_closing_wakes_those_who_wait() -> None:
    topic = Topic(0)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(topic.wait, 0)
        await anyio.wait_all_tasks_blocked()
        topic.close()

    assert topic.closed


async def test_who_stops_waiting_leaves_no_trace() -> None:
    topic = Topic(0)
    with anyio.move_on_after(0):
        await topic.wait(0)

    topic.publish([b"1"])

    assert topic.batch(0, as_array) == (b"[1]", 1)


def test_a_sink_is_written_to_at_once_and_may_leave_while_it_is() -> None:
    topic, written = Topic(0), list[str]()

    def leave() -> None:
        written.append("leaving")
        del topic.followers[leaving]

    leaving = Follower("ann", 0, flush=leave)
    staying = Follower("bob", 0, flush=lambda: written.append("staying"))
    topic.followers |= {leaving: None, staying: None}

    topic.publish([b"1"])
    topic.publish([b"2"])

    assert written == ["leaving", "staying", "staying"]


def test_a_signal_goes_to_those_who_listen_and_is_not_kept() -> None:
    topic, heard = Topic(0), list[bytes]()
    topic.followers |= {Follower("ann", 0, signal=heard.append): None, Follower("bob", 0): None}

    topic.signal(b"typing")

    assert heard == [b"typing"]
    assert topic.head == 0


def test_a_sink_that_fails_keeps_nothing_from_the_others() -> None:
    topic, told = Topic(0), list[int]()

    def broken() -> None:
        raise ZeroDivisionError

    for flush in (broken, lambda: told.append(topic.head)):
        topic.followers[Follower("ann", 0, flush=flush)] = None
    topic.publish(bodies(1, 1))
    topic.publish(bodies(2, 2))

    assert told == [1, 2]


def test_whoever_cannot_be_signalled_or_let_go_keeps_nothing_from_the_others() -> None:
    topic, heard, gone = Topic(0), list[bytes](), list[int]()

    def broken(*args: object) -> None:
        raise ZeroDivisionError

    for signal, closed in ((broken, broken), (heard.append, lambda: gone.append(1))):
        follower = Follower("ann", 0, signal=signal)
        follower.closed = closed
        topic.followers[follower] = None
    topic.signal(b"typing")
    topic.close()

    assert (heard, gone) == ([b"typing"], [1])


# Bytes of a batch


@given(st.lists(st.integers(0, 3 * EVENT_BATCH_BYTES_MAX // 2), max_size=6))
def test_a_batch_holds_so_many_bytes_or_one_event(sizes: list[int]) -> None:
    bodies = [b"x" * size for size in sizes]
    fit = cut(bodies)

    assert list(fit) == bodies[: len(fit)]
    assert len(fit) >= min(1, len(bodies))
    assert len(fit) <= 1 or sum(map(len, fit)) <= EVENT_BATCH_BYTES_MAX
    assert len(fit) == len(bodies) or sum(map(len, bodies[: len(fit) + 1])) > EVENT_BATCH_BYTES_MAX


def test_batches_of_large_events_follow_one_another() -> None:
    topic = Topic(0)
    bodies = [bytes([number]) * (EVENT_BATCH_BYTES_MAX // 2) for number in range(1, 6)]
    topic.publish(bodies)
    batches, cursor = [], 0
    while cursor < topic.head:
        batch, cursor = topic.batch(cursor, b"".join)
        batches.append(batch)

    assert b"".join(batches) == b"".join(bodies)
    assert all(len(batch) <= EVENT_BATCH_BYTES_MAX for batch in batches)
