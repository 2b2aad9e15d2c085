"""Matchmaking against a plain model: no player is lost, or waits longer than necessary."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hubbub.games.matchmaking.pool import Pool, Ticket, Widening
from tests.games.matchmaking.grouping import group_of

# Whole numbers, or halves and quarters of them: sums of them are exact.
ratings = st.integers(1_000, 2_000).map(float)
widenings = st.builds(Widening, st.sampled_from([0.0, 50.0, 100.0]), st.sampled_from([0.0, 4.0]))


def permitted(group: tuple[Ticket, ...], widening: Widening, now: float) -> bool:
    """Tell whether the one of a group who has waited longest accepts all of it."""
    spread = max(one.rating for one in group) - min(one.rating for one in group)
    waited = now - min(one.since for one in group)
    return waited >= 0 and spread <= widening.at_first + widening.per_second * waited


def possible(
    tickets: list[Ticket], size: int, widening: Widening, now: float
) -> list[tuple[Ticket, ...]]:
    """Try all possible groups, even of players who are not neighbours."""
    return [group for group in combinations(tickets, size) if permitted(group, widening, now)]


def spread_of(group: list[Ticket] | tuple[Ticket, ...]) -> float:
    return max(one.rating for one in group) - min(one.rating for one in group)


class PoolMachine(RuleBasedStateMachine):
    """Lets users come, go and be taken from a plain list of waiting users."""

    @initialize(size=st.integers(2, 4), widening=widenings)
    def begin(self, size: int, widening: Widening) -> None:
        self.size, self.widening = size, widening
        self.waiting: list[Ticket] = []
        self.taken: list[list[Ticket]] = []
        self.now, self.number = 0.0, 0
        # Players have come to it, and left it, in turn.
        self.kept = Pool(size, widening)

    @property
    def pool(self) -> Pool:
        return Pool(self.size, self.widening, self.waiting)

    @invariant()
    def the_kept_one_is_like_a_new_one(self) -> None:
        if hasattr(self, "kept"):
            for now in (self.now, self.now - 1 / 2, self.now + 20):
                assert self.kept.group(now) == self.pool.group(now)
                assert (self.kept.next() is None) == (self.pool.next() is None)

    @precondition(lambda self: len(self.waiting) < 9)
    @rule(rating=ratings)
    def join(self, rating: float) -> None:
        self.number += 1
        ticket = Ticket(f"user {self.number}", rating, self.now, self.number)
        self.waiting.append(ticket)
        self.kept.add(ticket)
        group = group_of(ticket, self.waiting, self.size, self.widening, self.now)
        if group is not None:
            assert ticket in group
            assert permitted(tuple(group), self.widening, self.now)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        ticket = data.draw(st.sampled_from(self.waiting))
        self.waiting.remove(ticket)
        self.kept.discard(ticket)

    @precondition(lambda self: self.taken)
    @rule(data=st.data())
    def go_back(self, data: st.DataObject) -> None:
        """One of a group has gone, and the others wait again."""
        group = data.draw(st.sampled_from(self.taken))
        self.taken.remove(group)
        gone = data.draw(st.sampled_from(group))
        for ticket in group:
            if ticket is not gone:
                self.waiting.append(ticket)
                self.kept.add(ticket)

    @rule(seconds=st.integers(0, 400))
    def wait(self, seconds: int) -> None:
        self.now += seconds / 4

    @rule()
    def wait_for_the_next(self) -> None:
        """It is the earliest time at which there is a group, to the moment."""
        at = self.pool.next()
        if at is None:
            assert not possible(self.waiting, self.size, self.widening, self.now + 1e9)
        elif at > self.now:
            assert not possible(self.waiting, self.size, self.widening, self.now)
            assert not possible(self.waiting, self.size, self.widening, at - 1 / 4)
            assert self.take_at(at - 1 / 1024) is None
            self.now = at
            assert self.take_at(at) is not None
        else:
            assert self.take_at(self.now) is not None

    @rule()
    def take(self) -> None:
        self.take_at(self.now)

    @rule()
    def take_all(self) -> None:
        while self.take_at(self.now) is not None:
            pass

        at = self.pool.next()
        assert at is None or at > self.now

    def take_at(self, now: float) -> list[Ticket] | None:
        """Take a group, and check that it is one of those with the least spread."""
        could = possible(self.waiting, self.size, self.widening, now)
        group = self.pool.group(now)
        assert (group is not None) == bool(could)
        if group is not None:
            assert len(set(map(id, group))) == self.size
            assert permitted(tuple(group), self.widening, now)
            assert spread_of(group) == min(map(spread_of, could))
            for ticket in group:
                # Fails if somebody is taken who does not wait, or is taken twice.
                self.waiting.remove(ticket)
            assert self.kept.take(now) == group
            self.taken.append(group)
        return group


@pytest.mark.hypothesis
def test_a_pool_does_what_a_plain_list_does() -> None:
    run_state_machine_as_test(PoolMachine)


people = st.lists(st.tuples(ratings, st.integers(0, 100)), min_size=2, max_size=30)


@given(people, st.integers(2, 4))
def test_everybody_is_served_in_the_end(found: list[tuple[float, int]], size: int) -> None:
    widening = Widening(100.0, 50.0)
    waiting = [Ticket(str(n), rating, since, n) for n, (rating, since) in enumerate(found)]

    times = [100.0]
    while (at := Pool(size, widening, waiting).next()) is not None:
        times.append(max(times[-1], at))
        group = Pool(size, widening, waiting).group(times[-1])
        assert group is not None
        waiting = [ticket for ticket in waiting if ticket not in group]

    assert len(waiting) == len(found) % size
    # A spread of at most 1,000 points is accepted after 18 s.
    assert times[-1] <= 100 + 18
