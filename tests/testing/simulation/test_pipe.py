from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from hubbub.testing.simulation.pipe import Pipe
from hubbub.testing.simulation.route import Conditions, Counts, Route

sizes = st.lists(st.integers(1, 50), max_size=20)


def pipe_of(seed: int = 0, latency: tuple[float, float] = (1.0, 1.0)) -> tuple[Pipe, Counts]:
    counts = Counts()
    return Pipe(Route(Conditions(latency, 0.3, 100), Random(seed)), counts), counts


@given(sizes=sizes, seed=st.integers(0, 100))
def test_every_byte_is_received_lost_or_under_way(sizes: list[int], seed: int) -> None:
    pipe, counts = pipe_of(seed, (0.0, 10.0))
    for now, size in enumerate(sizes):
        pipe.write(bytes(size), float(now))
        pipe.take(float(now), 40)

        assert counts.bytes_sent == counts.bytes_received + counts.bytes_lost + pipe.size
    pipe.discard()

    assert counts.bytes_sent == counts.bytes_received + counts.bytes_lost


@given(seed=st.integers(0, 100))
def test_nothing_overtakes_anything(seed: int) -> None:
    pipe, _ = pipe_of(seed, (0.0, 10.0))
    for now in range(10):
        pipe.write(b"%d" % now, float(now))
    pipe.end(10.0)
    got = []
    for now in range(30):
        while (found := pipe.take(float(now), 1)) and found[1]:
            got.append(found[1])

    assert b"".join(got) == b"0123456789"
    assert (end := pipe.take(30.0, 1)) is not None
    assert end[1] == b""
    assert 10 <= end[0] <= 20


def test_what_a_blocked_route_held_back_arrives_late() -> None:
    pipe, _ = pipe_of()
    pipe.write(b"before", 0.0)
    pipe.write(b"after", 1.0)
    pipe.close(1.0)
    pipe.route.blocked_since = 1.5

    assert pipe.take(100.0, 100) == (1.0, b"before")
    assert pipe.take(100.0, 100) is None
    assert not pipe.is_closed(100.0)

    pipe.route.heal()
    pipe.delay(1.5, 100.0)
    assert pipe.take(100.5, 100) is None
    assert pipe.take(101.0, 100) == (101.0, b"after")
    assert pipe.is_closed(101.0)


def test_the_end_is_found_again_and_again() -> None:
    pipe, _ = pipe_of()
    pipe.end(0.0, reset=True)

    assert pipe.take(1.0, 10) == pipe.take(2.0, 10) == (1.0, None)
    assert pipe.has_arrived(1.0)
    assert not pipe.has_unread(1.0)
