from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from hubbub.clock import Clock, SystemClock


def test_the_time_of_day_is_in_utc() -> None:
    clock: Clock = SystemClock()

    assert clock.now().tzinfo is UTC


def test_the_time_of_day_is_the_machines() -> None:
    since_1970 = SystemClock().now() - datetime(1970, 1, 1, tzinfo=UTC)

    assert abs(since_1970 - timedelta(microseconds=time.time_ns() // 1000)) < timedelta(seconds=1)


def test_monotonic_time_never_decreases() -> None:
    clock = SystemClock()
    moments = [clock.monotonic() for _ in range(1_000)]

    assert moments == sorted(moments)
