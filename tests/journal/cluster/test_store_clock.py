"""The clock of a node whose machine's clock is wrong."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

import anyio
import pytest

import hubbub
from hubbub import Settings
from hubbub.journal.cluster.store_clock import QUICK_SECONDS_MAX, TOLERANCE, StoreClock
from hubbub.server.gateway import Gateway
from hubbub.stores import MemoryStore
from hubbub.testing import ManualClock, VirtualClock, run_in_virtual_time
from tests.event_loop import Backend

HOUR = timedelta(hours=1)
QUICK, SLOW = QUICK_SECONDS_MAX / 2, QUICK_SECONDS_MAX * 2


class ShiftedClock(VirtualClock):
    """The clock of a machine that is an hour wrong."""

    def __init__(self, by: timedelta) -> None:
        super().__init__()
        self._by = by

    def now(self) -> datetime:
        """Return a wrong time."""
        return super().now() + self._by


@pytest.mark.parametrize("by", [HOUR, -HOUR])
async def test_it_shows_the_time_of_the_store(by: timedelta) -> None:
    own = ManualClock()
    clock = StoreClock(own)
    clock.follow(own.now() + by, QUICK)
    await own.advance(5)
    assert clock.now() == own.now() + by


def test_it_shows_its_own_time_when_that_is_nearly_the_store_s() -> None:
    own = ManualClock()
    clock = StoreClock(own)
    clock.follow(own.now() + HOUR, QUICK)
    clock.follow(own.now() + TOLERANCE, QUICK)
    assert clock.now() == own.now()


def test_an_answer_that_was_late_does_not_set_it_back() -> None:
    own = ManualClock()
    clock = StoreClock(own)
    clock.follow(own.now() + HOUR, QUICK)
    clock.follow(own.now() + HOUR / 2, SLOW)
    assert clock.now() == own.now() + HOUR


def test_even_a_late_answer_shows_that_it_is_behind() -> None:
    own = ManualClock()
    clock = StoreClock(own)
    clock.follow(own.now() + HOUR, SLOW)
    assert clock.now() == own.now() + HOUR


@pytest.mark.parametrize("by", [HOUR, -HOUR])
def test_a_token_of_a_node_with_a_wrong_clock_is_good_at_all_nodes(
    backend: Backend, by: timedelta
) -> None:
    async def story() -> None:
        store = MemoryStore(Random(1), shared=True, clock=VirtualClock())
        wrong = Settings(clock=ShiftedClock(by), random=Random(2))
        right = Settings(clock=VirtualClock(), random=Random(3))
        async with (
            hubbub.open(store=store, settings=wrong) as one,
            hubbub.open(store=store, settings=right) as other,
            one.session("ann"),
        ):
            await anyio.sleep(1)
            signs, reads = Gateway(one).tokens, Gateway(other).tokens
            token = signs.sign("ann")
            await anyio.sleep(right.token_seconds / 2)
            assert reads.verify(token).user == "ann"
            await anyio.sleep(right.token_seconds)
            for tokens in (signs, reads):
                with pytest.raises(hubbub.NotAllowed, match="expired"):
                    tokens.verify(token)

    run_in_virtual_time(story, backend=backend)
