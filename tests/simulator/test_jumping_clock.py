"""A clock that somebody sets."""

from __future__ import annotations

from datetime import timedelta

from hubbub.simulator.jumping_clock import JumpingClock


async def test_the_time_of_day_jumps_and_the_monotonic_time_does_not() -> None:
    clock = JumpingClock()
    day, monotonic = clock.now(), clock.monotonic()

    clock.ahead = -3600

    assert timedelta(minutes=59) < day - clock.now() <= timedelta(hours=1)
    assert clock.monotonic() >= monotonic
