"""Followers of one stream, against a server that is played: any timing, any number of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import msgspec
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hubbub.errors import Conflict, HubbubError, NotMember, Overloaded, StorageError
from hubbub.wire.follow import PAGE_EVENTS, Done, Follow, read_head
from hubbub.wire.follower import BUFFER_EVENTS_MAX, Follower
from hubbub.wire.lost import Lost

NULL = msgspec.Raw(b"null")


def body_of(seq: int) -> msgspec.Raw:
    return msgspec.Raw(b'{"stream":"room/1","seq":%d}' % seq)


class Played:
    """A server of one stream: what it is asked waits, and so does what it sends."""

    def __init__(self, head: int = 0) -> None:
        self.head = head
        self.asked: deque[tuple[str, dict[str, int | None], Done]] = deque()
        self.sent: deque[Callable[[], None]] = deque()
        self.pages: deque[Callable[[], None]] = deque()
        self.cursor: int | None = None
        self.idle = False
        self.follow = self.new_follow(connected=True)

    def new_follow(self, *, connected: bool) -> Follow:
        return Follow("room/1", self.ask, self.become_idle, connected=connected)

    def become_idle(self) -> None:
        self.idle = True

    def ask(self, method: str, params: object, done: Done) -> None:
        assert isinstance(params, dict)
        self.asked.append((method.removeprefix("session."), params, done))

    def serve(self) -> None:
        """Do what was asked first."""
        method, params, done = self.asked.popleft()
        after = params.get("after")
        match method:
            case "follow" if after is not None and after > self.head:
                self.sent.append(partial(done, NULL, Conflict("Too far.")))
            case "follow":
                assert self.cursor is None, "a stream is followed once"
                self.cursor = self.head if after is None else after
                followed = msgspec.Raw(b'{"head":%d}' % self.head)
                self.sent.append(partial(done, followed, None))
            case "unfollow":
                self.cursor = None
                self.sent.append(partial(done, NULL, None))
            case "read":
                assert after is not None
                last = min(self.head, after + (params["limit"] or 0))
                page = msgspec.json.encode([body_of(n) for n in range(after + 1, last + 1)])
                # It is read now, and answered later, when other things have happened.
                self.pages.append(partial(done, msgspec.Raw(page), None))

    def answer_read(self) -> None:
        """Answer the page that was read first."""
        self.sent.append(self.pages.popleft())

    def push(self) -> None:
        """Send what the follow lacks."""
        while self.cursor is not None and self.cursor < self.head:
            self.cursor += 1
            self.sent.append(partial(self.follow.receive, self.cursor, body_of(self.cursor)))

    def deliver(self) -> None:
        """Let what was sent first arrive."""
        self.sent.popleft()()

    def settle(self) -> None:
        """Let everything happen that is under way."""
        while self.asked or self.pages or self.sent or self.cursor not in (None, self.head):
            while self.asked:
                self.serve()
            while self.pages:
                self.answer_read()
            self.push()
            while self.sent:
                self.deliver()

    def cut(self) -> None:
        """Lose the connection."""
        self.asked.clear()
        self.sent.clear()
        self.pages.clear()
        self.cursor = None
        self.follow.disconnected()

    def join(self, after: int | None = 0) -> Follower:
        return self.follow.join(after, lambda: None)

    def joined(self, after: int | None = 0) -> Follower:
        follower = self.join(after)
        self.settle()
        return follower


def seqs(follower: Follower, count: int = 1 << 30) -> list[int]:
    """Take what is there, or the first of it."""
    found: list[int] = []
    while len(found) < count and (body := follower.take()) is not None:
        found.append(read_head(body).seq)
    return found


class AnyTiming(RuleBasedStateMachine):
    """However things coincide, everybody gets every event once and in order."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr("hubbub.wire.follower.BUFFER_EVENTS_MAX", 6)
        self.patch.setattr("hubbub.wire.follow.PAGE_EVENTS", 3)
        self.server = Played(head=2)
        self.seen: dict[Follower, list[int]] = {}
        self.began: dict[Follower, int] = {}
        self.connected = True

    def teardown(self) -> None:
        if not self.connected:
            self.come_back()
        for _ in range(self.server.head + 2):
            self.server.settle()
            self.take()
        self.patch.undo()

        for follower, found in self.seen.items():
            assert follower.joined
            assert follower.last == self.server.head
            assert follower not in self.began or len(found) == follower.last - self.began[follower]
            assert not found or found[-1] == follower.last

    @rule(back=st.none() | st.integers(0, 4))
    def join(self, back: int | None) -> None:
        if self.server.idle:
            self.server.idle = False
            self.server.follow = self.server.new_follow(connected=self.connected)
        after = None if back is None else max(0, self.server.head - back)
        follower = self.server.join(after)
        self.seen[follower] = []
        if after is not None:
            self.began[follower] = after

    @precondition(lambda self: self.seen)
    @rule()
    def leave(self) -> None:
        self.seen.popitem()[0].leave()

    @rule(count=st.integers(1, 8))
    def grow(self, count: int) -> None:
        self.server.head += count

    @precondition(lambda self: self.server.asked)
    @rule()
    def serve(self) -> None:
        self.server.serve()

    @rule()
    def push(self) -> None:
        self.server.push()

    @precondition(lambda self: self.server.pages)
    @rule()
    def answer_read(self) -> None:
        self.server.answer_read()

    @precondition(lambda self: self.server.sent)
    @rule()
    def deliver(self) -> None:
        self.server.deliver()

    @rule(count=st.integers(1, 8))
    def take(self, count: int = 1 << 30) -> None:
        for follower, found in self.seen.items():
            found.extend(seqs(follower, count))

    @precondition(lambda self: self.connected)
    @rule()
    def cut(self) -> None:
        self.server.cut()
        self.connected = False

    @precondition(lambda self: not self.connected)
    @rule()
    def come_back(self) -> None:
        self.server.follow.connected()
        self.connected = True

    @invariant()
    def nobody_has_a_gap(self) -> None:
        for found in self.seen.values():
            assert all(after == before + 1 for before, after in pairwise(found))


TestAnyTiming = AnyTiming.TestCase


def test_history_and_then_what_comes() -> None:
    server = Played(head=3)
    follower = server.joined(after=1)
    server.head = 5
    server.settle()

    assert seqs(follower) == [2, 3, 4, 5]


def test_from_now_on_is_after_the_head() -> None:
    server = Played(head=3)
    follower = server.joined(after=None)
    server.head = 4
    server.settle()

    assert seqs(follower) == [4]


def test_several_followers_are_one_at_the_server() -> None:
    server = Played(head=3)
    first, second, third = server.joined(0), server.joined(2), server.joined(None)
    server.head = 4
    server.settle()

    assert [seqs(each) for each in (first, second, third)] == [[1, 2, 3, 4], [3, 4], [4]]


def test_a_follower_of_the_past_does_not_hold_up_those_of_now() -> None:
    server = Played(head=300)
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
    server = Played()
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
    server = Played(head=3 * BUFFER_EVENTS_MAX)
    server.joined()

    assert server.cursor is None


def test_one_who_reads_again_misses_nothing() -> None:
    server = Played(head=3 * BUFFER_EVENTS_MAX)
    follower = server.joined()
    found: list[int] = []
    while follower.behind:
        found += seqs(follower, 10)
        server.settle()
    server.head += 1
    server.settle()

    assert [*found, *seqs(follower)] == list(range(1, server.head + 1))


def test_after_the_end_of_the_stream_is_a_conflict_for_that_one_alone() -> None:
    server = Played(head=3)
    alone = server.joined(after=4)
    good = server.joined(after=0)
    bad = server.joined(after=5)

    for follower in (alone, bad):
        with pytest.raises(Conflict):
            follower.take()
    assert seqs(good) == [1, 2, 3]


def test_nor_is_it_one_for_those_who_do_not_read() -> None:
    server = Played(head=3 * BUFFER_EVENTS_MAX)
    idle = server.joined(after=0)
    bad = server.joined(after=server.head + 1)

    with pytest.raises(Conflict):
        bad.take()
    assert idle.error is None


def test_what_came_while_a_page_was_read_is_sent_again() -> None:
    server = Played(head=3)
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
    server = Played(head=2)
    first, second = server.joined(), server.joined(1)
    server.follow.ended(NotMember("You were put out."))

    assert [seqs(first, 2), seqs(second, 1)] == [[1, 2], [2]]
    for follower in (first, second):
        with pytest.raises(NotMember):
            follower.take()


def test_a_refusal_is_the_end_of_all_who_follow() -> None:
    server = Played(head=2)
    follower = server.joined(2)
    server.cut()
    server.follow.connected()
    refuse_next(server, NotMember("You were put out."))

    with pytest.raises(NotMember):
        follower.take()


def test_a_refusal_of_the_moment_is_no_end() -> None:
    server = Played(head=2)
    server.joined(2)
    server.cut()
    server.follow.connected()

    with pytest.raises(Lost):
        refuse_next(server, Overloaded("Full."))


def test_one_who_wants_in_at_a_bad_moment_is_told() -> None:
    server = Played()
    follower = server.join()
    refuse_next(server, Overloaded("Full."))

    with pytest.raises(Overloaded):
        follower.take()


def test_a_page_that_cannot_be_read_ends_the_one_who_needs_it() -> None:
    server = Played(head=300)
    live = server.joined(None)
    late = server.join(0)
    server.serve()
    server.serve()
    while server.sent:
        server.deliver()
    refuse_next(server, StorageError("The disk is gone."))
    server.head += 1
    server.settle()

    with pytest.raises(StorageError):
        late.take()
    assert seqs(live) == [301]


def test_a_page_that_cannot_be_read_now_is_read_on_the_next_connection() -> None:
    server = Played(head=300)
    server.joined(None)
    late = server.join(0)
    server.serve()
    server.serve()
    while server.sent:
        server.deliver()
    with pytest.raises(Lost):
        refuse_next(server, Overloaded("Full."))
    server.cut()
    server.follow.connected()
    server.settle()

    assert seqs(late)[:3] == [1, 2, 3]


@pytest.mark.parametrize("seq", [2, 4])
def test_an_event_out_of_order_is_a_reason_to_come_back(seq: int) -> None:
    server = Played(head=2)
    server.joined(2)

    with pytest.raises(Lost):
        server.follow.receive(seq, body_of(seq))


def test_a_page_out_of_order_is_a_reason_to_come_back() -> None:
    server = Played(head=300)
    server.joined(None)
    server.join(0)
    server.serve()
    server.serve()
    while server.sent:
        server.deliver()
    _, _, done = server.asked.popleft()

    with pytest.raises(Lost):
        done(msgspec.Raw(msgspec.json.encode([body_of(7)])), None)


def test_when_the_last_one_has_left_the_server_is_told() -> None:
    server = Played(head=2)
    first, second = server.joined(), server.joined()
    first.leave()
    server.settle()
    assert not server.idle
    second.leave()
    server.settle()

    assert server.idle
    assert server.cursor is None


def test_one_who_leaves_before_being_let_in_is_forgotten() -> None:
    server = Played(head=2)
    server.join().leave()
    server.settle()

    assert server.idle
    assert server.cursor is None


def refuse_next(server: Played, error: HubbubError) -> None:
    """Refuse what was asked first."""
    _, _, done = server.asked.popleft()
    done(NULL, error)
