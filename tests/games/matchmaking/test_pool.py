from __future__ import annotations

import pytest

from hubbub.games.matchmaking.pool import HEAP_SPARE, Pool, Ticket, Widening
from tests.games.matchmaking.grouping import group_of

# 100 points at first, and 10 more for each second.
WIDENING = Widening(100, 10)


def pool_of(*tickets: Ticket, size: int = 2, widening: Widening = WIDENING) -> Pool:
    return Pool(size, widening, tickets)


def waiting(user: str, rating: float, since: float = 0.0, number: int = 0) -> Ticket:
    return Ticket(user, rating, since, number)


def users(group: list[Ticket] | None) -> str | None:
    return None if group is None else "".join(ticket.user for ticket in group)


def test_of_equal_ratings_the_first_who_came_plays_first() -> None:
    pool = pool_of(waiting("a", 1500, 0, 3), waiting("b", 1500, 0, 1), waiting("c", 1500, 0, 2))

    assert users(pool.group(0)) == "bc"


def test_two_whose_ratings_are_near_play_at_once() -> None:
    pool = pool_of(waiting("a", 1500, 7), waiting("b", 1600, 9))

    # Who has come first is ready since then.
    assert pool.next() == 7
    assert users(pool.group(9)) == "ab"


def test_two_whose_ratings_are_far_apart_play_when_one_has_waited_for_it() -> None:
    pool = pool_of(waiting("a", 1500, 5), waiting("b", 1601, 90))

    assert pool.next() == pytest.approx(5.1)
    assert pool.group(5.0999) is None
    assert users(pool.group(5.1)) == "ab"


@pytest.mark.parametrize("tickets", [[], [waiting("a", 1500)]])
def test_too_few_never_play(tickets: list[Ticket]) -> None:
    pool = pool_of(*tickets)

    assert pool.next() is None
    assert pool.group(1e9) is None


def test_a_group_has_as_many_as_play_together() -> None:
    pool = pool_of(*(waiting(user, 1500, 0, n) for n, user in enumerate("abcd")), size=3)

    assert users(pool.group(0)) == "abc"


def test_the_spread_of_a_group_is_that_of_its_ends() -> None:
    pool = pool_of(
        waiting("a", 1400, 0), waiting("b", 1500, 0, 1), waiting("c", 1550, 0, 2), size=3
    )

    assert pool.next() == 5


def test_of_the_groups_that_could_play_the_one_with_the_least_spread_does() -> None:
    pool = pool_of(waiting("a", 1500), waiting("b", 1590), waiting("c", 1600), waiting("d", 1690))

    assert users(pool.group(0)) == "bc"


def test_a_group_that_is_not_ready_waits_though_it_has_the_least_spread() -> None:
    pool = pool_of(waiting("a", 1000, 0), waiting("b", 1200, 50), waiting("c", 1350, 50))

    assert users(pool.group(52)) == "ab"


def test_who_has_waited_longer_accepts_more_for_the_whole_group() -> None:
    pool = pool_of(waiting("new", 1700, 100), waiting("old", 1500, 0))

    assert pool.next() == 10
    assert users(pool.group(100)) == "oldnew"


def test_a_range_that_does_not_widen_stays_as_it_is() -> None:
    pool = pool_of(
        waiting("a", 1500), waiting("b", 1601), waiting("c", 1901), widening=Widening(100, 0)
    )

    assert pool.next() is None
    assert pool.group(1e9) is None


def test_only_a_group_with_the_one_who_has_come_counts() -> None:
    new = waiting("new", 1660, 0, 9)
    pool = pool_of(waiting("a", 1500), waiting("b", 1510), new, waiting("d", 1750))

    assert users(pool.group(0)) == "ab"
    others = [waiting("a", 1500), waiting("b", 1510), waiting("d", 1750)]
    assert users(group_of(new, others, 2, WIDENING, 0)) == "newd"


@pytest.mark.parametrize("size", [2, 3, 4])
def test_the_one_who_has_come_may_be_anywhere_in_the_group(size: int) -> None:
    others = [waiting(user, 1500 + 10 * n, 0, n) for n, user in enumerate("abc")]
    for rating in (1490, 1505, 1515, 1530):
        new = waiting("n", rating, 0, 9)
        group = group_of(new, others, size, WIDENING, 0)

        assert group is not None
        assert new in group
    far = waiting("f", 3000, 0, 9)
    assert group_of(far, others, size, WIDENING, 0) is None


def test_who_joins_and_leaves_changes_the_groups_around_them() -> None:
    pool = pool_of(*(waiting(user, 1500 + 90 * n, 0, n) for n, user in enumerate("abcd")))
    between = waiting("x", 1640, 0, 9)
    pool.add(between)

    assert users(pool.group(0)) == "xc"
    assert users(pool.take(0)) == "xc"
    # Their neighbours are neighbours now, and too far apart to play at once.
    assert (pool.next(), pool.group(0)) == (0, [waiting("a", 1500), waiting("b", 1590, 0, 1)])
    pool.discard(waiting("a", 1500))
    assert pool.next() == 8
    pool.discard(waiting("nobody", 1))


def test_a_clock_that_is_set_back_makes_no_group_early() -> None:
    pool = pool_of(waiting("a", 1500), waiting("b", 1700))

    assert users(pool.group(10)) == "ab"
    assert pool.group(9) is None
    assert users(pool.group(10)) == "ab"


def test_those_who_come_and_go_leave_nothing() -> None:
    pool = pool_of(*(waiting(str(n), 1000 * n, 0, n) for n in range(10)))
    for _ in range(1_000):
        pool.add(waiting("x", 1500, 0, 99))
        pool.discard(waiting("x", 1500, 0, 99))

    assert len(pool._coming) + len(pool._ready) <= 4 * 11 + HEAP_SPARE
    assert len(pool._groups) == 9
