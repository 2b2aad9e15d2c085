from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from copy import deepcopy
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.errors import RateLimited
from hubbub.ratelimit import (
    RateLimit,
    RateLimits,
    SlidingWindow,
    StoredRateLimit,
    TokenBucket,
    rate_limit,
)

type_of_limit = st.sampled_from([SlidingWindow, TokenBucket])
limits = st.integers(1, 5)

# Times that floats hold exactly, so that a model in fractions must agree to the bit.
eighths = st.integers(0, 160).map(lambda eighth: eighth / 8)
exact_gaps = st.lists(eighths, max_size=60)
exact_periods = st.integers(1, 240).map(lambda eighth: eighth / 8)

# And times that they do not.
starts = st.floats(0, 1e9)
float_gaps = st.lists(st.one_of(st.just(0.0), st.floats(0, 10), st.floats(0, 1e-6)), max_size=60)
float_periods = st.floats(0.001, 100)

Kind = Callable[[int, float], RateLimit]


def passes(limit: RateLimit, now: float) -> bool:
    try:
        limit.charge(now)
    except RateLimited:
        return False
    return True


def answer(limit: RateLimit, now: float) -> float | None:
    """Return None if a charge passes, or the wait that its refusal names."""
    try:
        limit.charge(now)
    except RateLimited as refusal:
        return refusal.retry_after
    return None


def wait(limit: RateLimit, now: float) -> float:
    """Return the wait that a refusal names."""
    with pytest.raises(RateLimited) as refusal:
        limit.charge(now)
    assert refusal.value.retry_after is not None
    return refusal.value.retry_after


def times(gaps: Iterable[float], start: float = 0.0) -> list[float]:
    found = []
    for gap in gaps:
        start += gap
        found.append(start)
    return found


def first_refusal(limit: RateLimit, moments: list[float]) -> float | None:
    """Charge until a refusal and return its time; the limit is as before that charge."""
    return next((now for now in moments if not passes(limit, now)), None)


@given(exact_gaps, limits, exact_periods)
def test_a_window_agrees_with_counting_what_passed_in_the_last_period(
    gaps: list[float], limit: int, period: float
) -> None:
    window = SlidingWindow(limit, period)
    passed: list[float] = []
    for now in times(gaps):
        free = sum(now - time < period for time in passed) < limit

        assert passes(window, now) == free

        if free:
            passed.append(now)


@given(starts, float_gaps, limits, float_periods)
def test_no_window_holds_more_than_the_limit(
    start: float, gaps: list[float], limit: int, period: float
) -> None:
    window = SlidingWindow(limit, period)

    passed = [now for now in times(gaps, start) if passes(window, now)]

    for first in passed:
        assert sum(first <= time < first + period for time in passed) <= limit


@given(exact_gaps, limits, exact_periods)
def test_a_bucket_agrees_with_a_leaky_bucket_in_fractions(
    gaps: list[float], limit: int, period: float
) -> None:
    bucket = TokenBucket(limit, period)
    level, before = Fraction(0), Fraction(0)
    for now in times(gaps):
        leaked = (Fraction(now) - before) * limit / Fraction(period)
        level, before = max(Fraction(0), level - leaked), Fraction(now)
        free = level + 1 <= limit

        assert passes(bucket, now) == free

        level += free


@given(starts, st.integers(1, 1000), float_periods)
def test_a_bucket_lets_a_burst_of_the_limit_through_at_any_time(
    now: float, limit: int, period: float
) -> None:
    bucket = TokenBucket(limit, period)

    assert sum(passes(bucket, now) for _ in range(limit + 10)) == limit


@given(st.floats(0, 1e6), st.integers(1, 50), st.floats(1, 100))
def test_a_bucket_keeps_its_rate_without_drift(start: float, limit: int, period: float) -> None:
    bucket = TokenBucket(limit, period)
    for _ in range(limit):
        bucket.charge(start)

    now = start
    for _ in range(100):
        now += wait(bucket, now)
        bucket.charge(now)

    assert now == pytest.approx(start + 100 * period / limit, rel=1e-13)


@given(exact_gaps, limits, exact_periods)
def test_a_bucket_exceeds_its_rate_by_no_more_than_the_burst(
    gaps: list[float], limit: int, period: float
) -> None:
    bucket = TokenBucket(limit, period)
    passed = [Fraction(now) for now in times(gaps) if passes(bucket, now)]

    for first in range(len(passed)):
        for last in range(first, len(passed)):
            dripped = (passed[last] - passed[first]) * limit / Fraction(period)
            assert last - first + 1 <= limit + dripped


@given(type_of_limit, exact_gaps, limits, st.integers(1, 30))
def test_a_wait_is_exact_where_floats_are(
    kind: Kind, gaps: list[float], limit: int, seconds: int
) -> None:
    # Then an event drips in after each whole second.
    rate, period = kind(limit, limit * seconds), limit * seconds
    refused_at = first_refusal(rate, times(gaps))
    if refused_at is None:
        return

    moment = refused_at + wait(rate, refused_at)

    assert moment * 8 == int(moment * 8)
    assert refused_at < moment <= refused_at + period


@given(type_of_limit, starts, float_gaps, limits, float_periods)
def test_who_waits_as_told_passes_and_no_shorter_wait_is_enough(
    kind: Kind, start: float, gaps: list[float], limit: int, period: float
) -> None:
    rate = kind(limit, period)
    refused_at = first_refusal(rate, times(gaps, start))
    if refused_at is None:
        return

    told = wait(rate, refused_at)
    shorter = math.nextafter(told, 0)

    assert told > 0
    assert passes(deepcopy(rate), refused_at + told)
    # A float this large may not tell a shorter wait from the one that was told.
    assert refused_at + shorter == refused_at + told or not passes(rate, refused_at + shorter)


@given(type_of_limit, st.floats(1e6, 1e9), float_gaps, limits, float_periods)
def test_the_moment_before_the_one_told_is_refused(
    kind: Kind, start: float, gaps: list[float], limit: int, period: float
) -> None:
    rate = kind(limit, period)
    refused_at = first_refusal(rate, times(gaps, start))
    if refused_at is None:
        return

    moment = refused_at + wait(rate, refused_at)

    assert not passes(rate, math.nextafter(moment, 0))
    assert passes(rate, moment)


@given(type_of_limit, starts, float_gaps, limits, float_periods)
def test_a_refusal_costs_nothing(
    kind: Kind, start: float, gaps: list[float], limit: int, period: float
) -> None:
    tried, spared = kind(limit, period), kind(limit, period)
    moments = times(gaps, start)
    passed = [now for now in moments if passes(tried, now)]

    assert all(passes(spared, now) for now in passed)
    for now in moments[-1:]:
        assert [passes(tried, now) for _ in range(9)] == [passes(spared, now) for _ in range(9)]


@given(type_of_limit, starts, float_gaps, limits, float_periods, st.floats(0, 200))
def test_a_limit_is_idle_exactly_if_forgetting_it_changes_nothing(
    kind: Kind, start: float, gaps: list[float], limit: int, period: float, rest: float
) -> None:
    used, new = kind(limit, period), kind(limit, period)
    for now in times(gaps, start):
        passes(used, now)
    now = times(gaps, start)[-1] + rest if gaps else start

    idle = used.idle(now)

    # Nothing asks more of a limit than a whole burst.
    assert idle == ([passes(used, now) for _ in range(limit)] == [True] * limit)
    if idle:
        after = times(gaps, now)
        assert [passes(new, now) for _ in range(limit)] == [True] * limit
        assert [passes(used, time) for time in after] == [passes(new, time) for time in after]


@pytest.mark.parametrize("kind", [SlidingWindow, TokenBucket])
def test_a_new_limit_is_idle(kind: Kind) -> None:
    assert kind(10, 60.0).idle(0.0)


def test_of_fifteen_at_once_ten_pass() -> None:
    window = SlidingWindow(10, 60.0)

    assert [passes(window, 100.0) for _ in range(15)] == [True] * 10 + [False] * 5


def test_a_window_frees_a_place_a_period_after_it_was_taken() -> None:
    window = SlidingWindow(1, 60)
    window.charge(0)

    assert wait(window, 59) == 1
    assert passes(window, 60)


def test_a_wait_makes_up_for_what_rounding_takes_from_it() -> None:
    window = SlidingWindow(1, 5.5)
    window.charge(0.12)
    free_at = 0.12 + 5.5

    told = wait(window, 0.27)

    assert 0.27 + (free_at - 0.27) < free_at
    assert passes(window, 0.27 + told)


@pytest.mark.parametrize("kind", [SlidingWindow, TokenBucket])
def test_time_stands_still_while_a_clock_is_behind(kind: Kind) -> None:
    limit = kind(2, 10.0)
    limit.charge(100.0)
    limit.charge(50.0)

    assert wait(limit, 50.0) == wait(limit, 100.0)
    assert not passes(limit, 104.0)
    assert passes(limit, 110.0)


@given(type_of_limit, starts, float_gaps, limits, float_periods, float_gaps)
def test_a_limit_that_was_dumped_and_loaded_behaves_the_same(
    kind: Kind, start: float, gaps: list[float], limit: int, period: float, later: list[float]
) -> None:
    kept, loaded = kind(limit, period), kind(limit, period)
    assert isinstance(kept, StoredRateLimit)
    assert isinstance(loaded, StoredRateLimit)
    for now in times(gaps, start):
        passes(kept, now)
    passes(loaded, start)

    loaded.load(kept.dump())

    assert loaded.dump() == kept.dump()
    for now in times(later, times(gaps, start)[-1] if gaps else start):
        assert loaded.idle(now) == kept.idle(now)
        assert answer(loaded, now) == answer(kept, now)
    kept.refund()
    loaded.refund()
    assert loaded.dump() == kept.dump()


@given(type_of_limit, exact_gaps, limits, exact_periods, limits, exact_periods)
def test_a_limit_that_was_changed_since_it_was_dumped_holds_what_it_says_now(
    kind: Kind, gaps: list[float], before: int, old_period: float, limit: int, period: float
) -> None:
    old, new = kind(before, old_period), kind(limit, period)
    assert isinstance(old, StoredRateLimit)
    assert isinstance(new, StoredRateLimit)
    for now in times(gaps):
        passes(old, now)
    now = times(gaps)[-1] if gaps else 0.0

    new.load(old.dump())

    assert sum(passes(new, now) for _ in range(limit + 1)) <= limit
    assert passes(new, now + before * period + period)


def test_a_bucket_in_use_all_day_is_not_closed_for_days_when_its_limit_is_lowered() -> None:
    old, new = TokenBucket(10, 1.0), TokenBucket(1, 1.0)
    for second in range(86_400):
        for _ in range(10):
            old.charge(float(second))

    new.load(old.dump())

    assert 9.0 <= wait(new, 86_399.0) <= 10.0


@pytest.mark.parametrize("kinds", [(SlidingWindow, TokenBucket), (TokenBucket, SlidingWindow)])
def test_a_limit_of_another_kind_loads_as_a_new_one(kinds: tuple[Kind, Kind]) -> None:
    old, new = kinds[0](1, 60.0), kinds[1](1, 60.0)
    assert isinstance(old, StoredRateLimit)
    assert isinstance(new, StoredRateLimit)
    old.charge(0.0)
    new.charge(0.0)

    new.load(old.dump())

    assert passes(new, 0.0)
    assert not passes(new, 0.0)


@pytest.mark.parametrize("kind", [SlidingWindow, TokenBucket])
def test_a_limit_needs_a_limit_and_a_period(kind: Kind) -> None:
    with pytest.raises(AssertionError):
        kind(0, 60.0)
    with pytest.raises(AssertionError):
        kind(1, 0.0)


@pytest.mark.parametrize("kind", [SlidingWindow, TokenBucket])
def test_a_refusal_says_of_what_there_is_too_much_and_how_long_to_wait(
    kind: Callable[[int, float, str], RateLimit],
) -> None:
    rate = kind(1, 60.0, "messages")
    rate.charge(0.0)

    with pytest.raises(RateLimited) as refusal:
        rate.charge(56.8125)
    assert refusal.value.message == "Too many messages; try again in 3.2 s."
    assert refusal.value.retry_after == 3.1875


def test_a_setting_names_the_kind_of_limit() -> None:
    window = rate_limit("sliding_window", 10, 60.0, "messages")
    bucket = rate_limit("token_bucket", 10, 60.0)

    assert isinstance(window, SlidingWindow)
    assert (window.limit, window.period, window.what) == (10, 60.0, "messages")
    assert isinstance(bucket, TokenBucket)
    assert (bucket.limit, bucket.period, bucket.what) == (10, 60.0, "requests")


def test_each_key_has_a_limit_of_its_own() -> None:
    limits = RateLimits(lambda: SlidingWindow(1, 10.0), keys_max=10)
    limits.charge("ann", 0.0)
    limits.charge("bob", 0.0)

    with pytest.raises(RateLimited):
        limits.charge("ann", 9.0)
    limits.charge("ann", 10.0)


def test_the_key_that_was_charged_longest_ago_is_forgotten() -> None:
    limits = RateLimits(lambda: SlidingWindow(1, 10.0), keys_max=2)
    for key in ("ann", "bob", "cid"):
        limits.charge(key, 0.0)
    limits.charge("ann", 0.0)

    assert len(limits) == 2
    with pytest.raises(RateLimited):
        limits.charge("cid", 0.0)


@pytest.mark.parametrize("kind", [SlidingWindow, TokenBucket])
def test_limits_of_many_let_time_stand_while_a_clock_is_behind(kind: Kind) -> None:
    limits = RateLimits(lambda: kind(2, 10.0), keys_max=10)
    limits.charge("ann", 100.0)
    limits.charge("ann", 50.0)

    with pytest.raises(RateLimited):
        limits.charge("ann", 50.0)
