"""Followers of one stream, against a server that is played."""

from __future__ import annotations

import msgspec
import pytest

from hubbub.errors import Conflict, NotMember, Overloaded, StorageError
from hubbub.wire.connection_lost import ConnectionLost
from hubbub.wire.follow import PAGE_EVENTS
from hubbub.wire.follower import BUFFER_EVENTS_MAX
from tests.wire.played_stream import PlayedStream, body_of, seqs


def test_history_and_then_what_comes() -> None:
    server = PlayedStream(head=3)
    follower = server.joined(after=1)
    server.head = 5
    server.settle()

    assert seqs(follower) == [2, 3, 4, 5]


def test_from_now_on_is_after_the_head() -> None:
    server = PlayedStream(head=3)
    follower = server.joined(after=None)
    server.head = 4
    server.settle()

    assert seqs(follower) == [4]


def test_several_followers_are_one_at_the_server() -> None:
    server = PlayedStream(head=3)
    first, second, third = server.joined(0), server.joined(2), server.joined(None)
    server.head = 4
    server.settle()

    assert [seqs(each) for each in (first, second, third)] == [[1, 2, 3, 4], [3, 4], [4]]


def test_a_follower_of_the_past_does_not_hold_up_those_of_now() -> None:
    server = PlayedStream(head=300)
    live = server.joined(None)
    server.join(0)
    server.serve()
    server.serve()
    server.head = 301
    server.push()
    while server.sent:
        server.deliver()

    assert seqs(live) == [301]


def test_one_who_does_not_read_keeps_no_more_than_a_buffer() -> None:
    server = PlayedStream()
    idle, reader = server.joined(), server.joined()
    read = []
    for _ in range(5):
        server.head += BUFFER_EVENTS_MAX // 2
        server.settle()
        read += seqs(reader)

    assert read == list(range(1, server.head + 1))
    assert len(seqs(idle, BUFFER_EVENTS_MAX + PAGE_EVENTS)) <= BUFFER_EVENTS_MAX + PAGE_EVENTS
    assert idle.behind


def test_when_nobody_reads_the_server_sends_nothing() -> None:
    server = PlayedStream(head=3 * BUFFER_EVENTS_MAX)
    server.joined()

    assert server.cursor is None


def test_one_who_reads_again_misses_nothing() -> None:
    server = PlayedStream(head=3 * BUFFER_EVENTS_MAX)
    follower = server.joined()
    found: list[int] = []
    while follower.behind:
        found += seqs(follower, 10)
        server.settle()
    server.head += 1
    server.settle()

    assert [*found, *seqs(follower)] == list(range(1, server.head + 1))


def test_after_the_end_of_the_stream_is_a_conflict_for_that_one_alone() -> None:
    server = PlayedStream(head=3)
    alone = server.joined(after=4)
    good = server.joined(after=0)
    bad = server.joined(after=5)

    for follower in (alone, bad):
        with pytest.raises(Conflict):
            follower.take()
    assert seqs(good) == [1, 2, 3]


def test_nor_is_it_one_for_those_who_do_not_read() -> None:
    server = PlayedStream(head=3 * BUFFER_EVENTS_MAX)
    idle = server.joined(after=0)
    bad = server.joined(after=server.head + 1)

    with pytest.raises(Conflict):
        bad.take()
    assert idle.error is None


def test_what_came_while_a_page_was_read_is_sent_again() -> None:
    server = PlayedStream(head=3)
    live, late = server.joined(None), server.join(0)
    server.serve()
    server.serve()
    while server.sent:
        server.deliver()
    server.serve()
    server.head = 4
    server.push()
    while server.sent:
        server.deliver()
    server.settle()

    assert seqs(live) == [4]
    assert seqs(late) == [1, 2, 3, 4]


def test_the_right_to_read_ends_for_all_after_what_they_may_still_see() -> None:
    server = PlayedStream(head=2)
    first, second = server.joined(), server.joined(1)
    server.follow.ended(NotMember("You were kicked."))

    assert [seqs(first, 2), seqs(second, 1)] == [[1, 2], [2]]
    for follower in (first, second):
        with pytest.raises(NotMember):
            follower.take()


def test_a_refusal_is_the_end_of_all_who_follow() -> None:
    server = PlayedStream(head=2)
    follower = server.joined(2)
    server.cut()
    server.follow.connected()
    server.refuse(NotMember("You were kicked."))

    with pytest.raises(NotMember):
        follower.take()


def test_a_refusal_of_the_moment_is_no_end() -> None:
    server = PlayedStream(head=2)
    server.joined(2)
    server.cut()
    server.follow.connected()

    with pytest.raises(ConnectionLost):
        server.refuse(Overloaded("Full."))


def test_one_who_wants_in_at_a_bad_moment_is_told() -> None:
    server = PlayedStream()
    follower = server.join()
    server.refuse(Overloaded("Full."))

    with pytest.raises(Overloaded):
        follower.take()


def test_a_page_that_cannot_be_read_ends_the_one_who_needs_it() -> None:
    server = PlayedStream(head=300)
    live = server.joined(None)
    late = server.join(0)
    server.serve()
    server.serve()
    while server.sent:
        server.deliver()
    server.refuse(StorageError("The disk is gone."))
    server.head += 1
    server.settle()

    with pytest.raises(StorageError):
        late.take()
    assert seqs(live) == [301]


def test_a_page_that_cannot_be_read_now_is_read_on_the_next_connection() -> None:
    server = PlayedStream(head=300)
    server.joined(None)
    late = server.join(0)
    server.serve()
    server.serve()
    while server.sent:
        server.deliver()
    with pytest.raises(ConnectionLost):
        server.refuse(Overloaded("Full."))
    server.cut()
    server.follow.connected()
    server.settle()

    assert seqs(late)[:3] == [1, 2, 3]


@pytest.mark.parametrize("seq", [2, 4])
def test_an_event_out_of_order_is_a_reason_to_come_back(seq: int) -> None:
    server = PlayedStream(head=2)
    server.joined(2)

    with pytest.raises(ConnectionLost):
        server.follow.receive(seq, body_of(seq))


def test_a_page_out_of_order_is_a_reason_to_come_back() -> None:
    server = PlayedStream(head=300)
    server.joined(None)
    server.join(0)
    server.serve()
    server.serve()
    while server.sent:
        server.deliver()
    _, _, done = server.asked.popleft()

    with pytest.raises(ConnectionLost):
        done(msgspec.Raw(msgspec.json.encode([body_of(7)])), None)


def test_a_page_for_one_who_has_left_is_passed_over() -> None:
    server = PlayedStream(head=300)
    server.joined(None)
    late = server.join(0)
    server.serve()
    server.serve()
    while server.sent:
        server.deliver()
    late.leave()
    server.settle()

    assert seqs(late) == []


def test_when_the_last_one_has_left_the_server_is_told() -> None:
    server = PlayedStream(head=2)
    first, second = server.joined(), server.joined()
    first.leave()
    server.settle()
    assert not server.idle
    second.leave()
    server.settle()

    assert server.idle
    assert server.cursor is None


def test_one_who_leaves_before_being_let_in_is_forgotten() -> None:
    server = PlayedStream(head=2)
    server.join().leave()
    server.settle()

    assert server.idle
    assert server.cursor is None
