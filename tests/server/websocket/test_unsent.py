"""The output that waits for clients that do not read, and which of them are disconnected."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hubbub.server.websocket.unsent import UNSENT_BYTES_MAX, Unsent


class Slow:
    """A connection that remembers that it was aborted."""

    def __init__(self) -> None:
        self.aborted = False

    def abort(self) -> None:
        """Remember it."""
        self.aborted = True


def test_the_one_with_the_most_is_aborted() -> None:
    unsent, small, large = Unsent(100), Slow(), Slow()
    unsent.hold(large, 70)
    unsent.hold(small, 40)

    assert (small.aborted, large.aborted) == (False, True)
    assert unsent.total == 40


def test_one_that_has_caught_up_counts_no_more() -> None:
    unsent, one, other = Unsent(100), Slow(), Slow()
    unsent.hold(one, 90)
    unsent.hold(one, 0)
    unsent.hold(other, 90)

    assert not one.aborted
    assert not other.aborted


def test_there_is_a_limit_by_default() -> None:
    unsent, slow = Unsent(), Slow()
    unsent.hold(slow, UNSENT_BYTES_MAX)
    assert not slow.aborted

    unsent.hold(slow, UNSENT_BYTES_MAX + 1)
    assert slow.aborted


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 60)), max_size=50))
def test_never_more_waits_than_the_limit(held: list[tuple[int, int]]) -> None:
    unsent, slow = Unsent(100), [Slow() for _ in range(6)]
    waiting = dict.fromkeys(range(6), 0)
    for which, size in held:
        unsent.hold(slow[which], size)
        waiting[which] = size
        waiting = {n: 0 if slow[n].aborted else size for n, size in waiting.items()}
        for one in slow:
            one.aborted = False

        assert unsent.total == sum(waiting.values()) <= 100
