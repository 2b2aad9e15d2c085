from __future__ import annotations

import pytest

from hubbub.games.matchmaking.pool import Pool, Ticket, Widening

# 100 points at first, and 10 more for each second.
WIDENING = Widening(100, 10)


def pool_of(*tickets: Ticket, size: int = 2, widening: Widening = WIDENING) -> Pool[Ticket]:
    pool = Pool[Ticket](size, widening)
    for ticket in tickets:
        pool.add(ticket)
    return pool


def waiting(user: str, rating: float, since: float = 0.0, number: int = 0) -> Ticket:
    return Ticket(user, rating, since, number)


def users(group: list[Ticket] | None) -> str | None:
    return None if group is None else "".join(ticket.user for ticket in group)


def test_tickets_are_ordered_by_rating_and_then_by_who_came_first() -> None:
    tickets = [waiting("a", 1500, 0, 2), waiting("b", 1400, 0, 3), waiting("c", 1500, 0, 1)]

    assert users(sorted(tickets)) == "bca"


def test_two_whose_ratings_are_near_play_at_once() -> None:
    pool = pool_of(waiting("a", 1500, 7), waiting("b", 1600, 9))

    # Who has come first is ready since then.
    assert pool.next() == 7
    assert users(pool.take(9)) == "ab"
    assert len(pool) == 0


def test_two_whose_ratings_are_far_apart_play_when_one_has_waited_for_it() -> None:
    pool = pool_of(waiting("a", 1500, 5), waiting("b", 1601, 90))

    assert pool.next() == pytest.approx(5.1)
    assert pool.take(5.0999) is None
    assert len(pool) == 2
    assert users(pool.take(5.1)) == "ab"


@pytest.mark.parametrize("tickets", [[], [waiting("a", 1500)]])
def test_too_few_never_play(tickets: list[Ticket]) -> None:
    pool = pool_of(*tickets)

    assert pool.next() is None
    assert pool.take(1e9) is None
    assert len(pool) == len(tickets)


def test_a_group_has_as_many_as_play_together() -> None:
    pool = pool_of(*(waiting(user, 1500, 0, n) for n, user in enumerate("abcd")), size=3)

    assert users(pool.take(0)) == "abc"
    assert users(pool.take(0)) is None
    assert len(pool) == 1


def test_the_spread_of_a_group_is_that_of_its_ends() -> None:
    pool = pool_of(
        waiting("a", 1400, 0), waiting("b", 1500, 0, 1), waiting("c", 1550, 0, 2), size=3
    )

    assert pool.next() == 5


def test_of_the_groups_that_could_play_the_one_with_the_least_spread_does() -> None:
    pool = pool_of(waiting("a", 1500), waiting("b", 1590), waiting("c", 1600), waiting("d", 1690))

    assert users(pool.take(0)) == "bc"
    assert pool.take(0) is None
    assert users(pool.take(9)) == "ad"


def test_a_group_that_is_not_ready_waits_though_it_has_the_least_spread() -> None:
    pool = pool_of(waiting("a", 1000, 0), waiting("b", 1200, 50), waiting("c", 1350, 50))

    assert users(pool.take(52)) == "ab"


def test_who_has_waited_longer_accepts_more_for_the_whole_group() -> None:
    pool = pool_of(waiting("new", 1700, 100), waiting("old", 1500, 0))

    assert pool.next() == 10
    assert users(pool.take(100)) == "oldnew"


def test_who_has_gone_is_not_paired() -> None:
    gone, other = waiting("a", 1500), waiting("b", 1500, 0, 1)
    pool = pool_of(gone, other)

    pool.remove(gone)

    assert gone not in pool
    assert other in pool
    assert pool.take(0) is None


def test_who_is_not_there_can_be_let_go() -> None:
    pool = pool_of(waiting("a", 1500))

    pool.remove(waiting("a", 1500))

    assert len(pool) == 1


def test_who_comes_back_has_waited_since_they_first_came() -> None:
    pool = pool_of(waiting("a", 1500, 0), waiting("b", 1500, 3, 1))
    taken = pool.take(3)
    assert taken is not None

    pool.add(taken[0])
    pool.add(waiting("c", 1700, 50, 2))

    assert pool.next() == 10


def test_a_range_that_does_not_widen_stays_as_it_is() -> None:
    pool = pool_of(
        waiting("a", 1500), waiting("b", 1601), waiting("c", 1901), widening=Widening(100, 0)
    )

    assert pool.next() is None
    assert pool.take(1e9) is None

    pool.add(waiting("d", 1801))
    assert pool.next() == 0
    assert users(pool.take(0)) == "dc"


def test_a_user_is_alone_until_another_one_waits() -> None:
    ann, bob = waiting("a", 1500), waiting("b", 2500)
    pool = pool_of()
    seen = [pool.alone]
    pool.add(ann)
    seen.append(pool.alone)
    pool.add(bob)
    seen.append(pool.alone)
    pool.remove(ann)

    assert seen == [None, ann, None]
    assert pool.alone is bob
