from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from hubbub.testing.simulation.route import CUTS_MAX, PIECES_EACH_SECOND, Conditions, Route


def route_of(seed: int, split: float = 0.0) -> Route:
    return Route(Conditions((1.0, 2.0), split, 1_000), Random(seed))


@given(seed=st.integers(), data=st.binary(min_size=1, max_size=100))
def test_pieces_are_the_whole_in_order(seed: int, data: bytes) -> None:
    arrivals = list(route_of(seed, 1.0).arrivals(data, 0.0))

    assert b"".join(piece for _, piece in arrivals) == data
    assert all(piece for _, piece in arrivals)
    assert len(arrivals) <= CUTS_MAX + 1


@given(seed=st.integers())
def test_latencies_are_within_their_bounds(seed: int) -> None:
    [(at, _)] = route_of(seed).arrivals(b"hello", 10.0)

    assert 11.0 <= at <= 12.0


def test_a_slow_route_is_shared_by_all_who_use_it() -> None:
    route = route_of(0)
    route.bytes_per_second = 100.0
    first = [at for at, _ in route.arrivals(bytes(1_000), 0.0)]
    [second] = [at for at, _ in route.arrivals(b"x", 0.0)]

    assert len(first) == 10 * PIECES_EACH_SECOND
    assert second > 11.0


def test_it_heals() -> None:
    route = route_of(0)
    route.blocked_since, route.bytes_per_second = 5.0, 10.0
    was_blocked = route.is_blocked
    route.heal()

    assert was_blocked
    assert not route.is_blocked
    assert len(list(route.arrivals(bytes(1_000), 0.0))) == 1
