"""Followers of one stream, when everything happens at any time."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hubbub.wire.follower import RemoteFollower
from tests.wire.played_stream import PlayedStream, seqs


class AnyTiming(RuleBasedStateMachine):
    """However things coincide, everybody gets every event once and in order."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr("hubbub.wire.follower.BUFFER_EVENTS_MAX", 6)
        self.patch.setattr("hubbub.wire.follow.PAGE_EVENTS", 3)
        self.server = PlayedStream(head=2)
        self.seen: dict[RemoteFollower, list[int]] = {}
        self.began: dict[RemoteFollower, int] = {}
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
