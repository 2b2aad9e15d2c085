"""Rate limits as plain values: no clock, no lock, no I/O. The caller passes the time."""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from collections.abc import Callable
from struct import Struct, iter_unpack, pack
from typing import Literal, Protocol, runtime_checkable

from .errors import RateLimited

__all__ = [
    "RateLimit",
    "RateLimits",
    "SlidingWindow",
    "StoredRateLimit",
    "TokenBucket",
    "rate_limit",
]

# The first byte of a stored limit names its kind: a setting can change the kind in between.
WINDOW = b"w"
BUCKET = b"b"
# When the bucket was last seen full, the number of events since then, and the settings.
BUCKET_STATE = Struct("<dQQd")


class RateLimit(Protocol):
    """The limit of one user on one thing."""

    def charge(self, now: float) -> None:
        """
        Count one event.

        Args:
            now: seconds. If it is less than in an earlier call, because a clock was set back,
                time may stand still.

        Raises:
            RateLimited: nothing was counted; ``now + retry_after`` is the
                earliest moment at which an event passes.
        """

    def refund(self) -> None:
        """Uncount one event, because it was refused after all."""

    def idle(self, now: float) -> bool:
        """Return whether a new limit in its place would behave the same from ``now`` on."""


@runtime_checkable
class StoredRateLimit(RateLimit, Protocol):
    """
    A limit that several nodes can share, because its counts can be stored.

    Where a store is shared, ``now`` is the store's time in seconds since 1970.
    """

    def dump(self) -> bytes:
        """Return the counts; a limit that loads them behaves the same from then on."""

    def load(self, state: bytes) -> None:
        """
        Take the counts that a limit has dumped in place of its own.

        If its settings have changed since then, the new settings count. Counts of another kind of
        limit are those of a new limit.
        """


class SlidingWindow:
    """
    At most ``limit`` events in any ``period`` seconds, exactly.

    Unlike a fixed window it cannot let ``2 * limit`` through at the edge of a window;
    unlike a token bucket it permits no burst above ``limit``. It stores one
    time for each permitted event, so memory is O(limit).

    Args:
        limit: the number of events; at least 1.
        period: the length of the window, in seconds; more than 0.
        what: the name of the events in an error message: "Too many requests; …".
    """

    __slots__ = ("_times", "limit", "period", "what")

    def __init__(self, limit: int, period: float, what: str = "requests") -> None:
        assert limit >= 1
        assert period > 0
        self.limit = limit
        self.period = period
        self.what = what
        self._times: deque[float] = deque(maxlen=limit)

    def charge(self, now: float) -> None:
        """Count one event; see :meth:`RateLimit.charge`."""
        times = self._times
        if times:
            if now < times[-1]:
                now = times[-1]
            if len(times) == self.limit:
                free_at = times[0] + self.period
                if now < free_at:
                    raise _refusal(self.what, now, free_at)

        # The deque holds `limit` times, so it drops the oldest.
        times.append(now)

    def refund(self) -> None:
        """Uncount the last event, if any is counted."""
        if self._times:
            self._times.pop()

    def idle(self, now: float) -> bool:
        """Return whether the window is empty."""
        return not self._times or now >= self._times[-1] + self.period

    def dump(self) -> bytes:
        """Return the counts; see :meth:`StoredRateLimit.dump`."""
        return WINDOW + pack(f"<{len(self._times)}d", *self._times)

    def load(self, state: bytes) -> None:
        """Take the counts that a limit has dumped; see :meth:`StoredRateLimit.load`."""
        times = iter_unpack("<d", state[1:]) if state.startswith(WINDOW) else ()
        # If the limit was lowered since then, the deque keeps the newest.
        self._times = deque((time for (time,) in times), maxlen=self.limit)


class TokenBucket:
    """
    A burst of ``limit`` events, and then one every ``period / limit`` seconds.

    The generic cell rate algorithm of ITU-T I.371 (virtual scheduling): the
    bucket is full again at the "theoretical arrival time", and an event passes
    if that is at most a burst away. Memory is O(1), but a burst and the events that
    refill after it can add up to almost ``2 * limit`` in one ``period``.

    It stores that time as a start and a count rather than as a running sum, so
    rounding errors do not add up: the burst is exactly ``limit``, at any time.

    Args:
        limit: the largest burst; at least 1.
        period: the seconds in which an empty bucket refills; more than 0.
        what: the name of the events in an error message: "Too many requests; …".
    """

    __slots__ = ("_count", "_full_at", "_start", "limit", "period", "what")

    def __init__(self, limit: int, period: float, what: str = "requests") -> None:
        assert limit >= 1
        assert period > 0
        self.limit = limit
        self.period = period
        self.what = what
        self._start = -math.inf  # when the bucket was last seen full
        self._count = 0  # events since then
        self._full_at = -math.inf  # the theoretical arrival time

    def charge(self, now: float) -> None:
        """Count one event; see :meth:`RateLimit.charge`."""
        start = self._start
        if now < start:
            now = start
        if now >= self._full_at:
            self._start = start = now
            count = 1
        else:
            count = self._count + 1
            free_at = start + (count - self.limit) * self.period / self.limit
            if now < free_at:
                raise _refusal(self.what, now, free_at)

        self._count = count
        self._full_at = start + count * self.period / self.limit

    def refund(self) -> None:
        """Uncount one event, if any is counted."""
        if self._count:
            self._count -= 1
            self._full_at = self._start + self._count * self.period / self.limit

    def idle(self, now: float) -> bool:
        """Return whether the bucket is full."""
        return now >= self._full_at

    def dump(self) -> bytes:
        """Return the counts; see :meth:`StoredRateLimit.dump`."""
        return BUCKET + BUCKET_STATE.pack(self._start, self._count, self.limit, self.period)

    def load(self, state: bytes) -> None:
        """Take the counts that a limit has dumped; see :meth:`StoredRateLimit.load`."""
        self._start, self._count = -math.inf, 0
        if state.startswith(BUCKET):
            start, count, limit, period = BUCKET_STATE.unpack(state[1:])
            if (limit, period) != (self.limit, self.period) and count > limit:
                # The bucket has refilled these already, at the pace of its settings then.
                start += (count - limit) * period / limit
                count = limit
            self._start, self._count = start, count
        self._full_at = self._start + self._count * self.period / self.limit


class RateLimits:
    """
    A rate limit for each of many keys.

    Args:
        new: makes a limit.
        keys_max: the number of keys to remember; the least recently charged is evicted.
    """

    __slots__ = ("_keys_max", "_limits", "_new", "_now")

    def __init__(self, new: Callable[[], RateLimit], keys_max: int) -> None:
        self._new = new
        self._keys_max = keys_max
        self._now = -math.inf
        self._limits: OrderedDict[str, RateLimit] = OrderedDict()

    def charge(self, key: str, now: float) -> None:
        """Count one event for a key; see :meth:`RateLimit.charge`."""
        limit = self._limits.pop(key, None) or self._new()
        # The key becomes the last to be evicted.
        self._limits[key] = limit
        if len(self._limits) > self._keys_max:
            self._limits.popitem(last=False)
        # An application's clock can be set back; then time stands still here.
        self._now = max(self._now, now)
        limit.charge(self._now)

    def refund(self, key: str) -> None:
        """Uncount one event for a key, if the key is remembered."""
        if (limit := self._limits.get(key)) is not None:
            limit.refund()

    def __len__(self) -> int:
        return len(self._limits)


def rate_limit(
    kind: Literal["sliding_window", "token_bucket"],
    limit: int,
    period: float,
    what: str = "requests",
) -> RateLimit:
    """
    Make the rate limit that a setting names.

    Args:
        kind: ``sliding_window`` is exact; ``token_bucket`` spaces events evenly
            after a burst.
        limit: the number of events; at least 1.
        period: the length of the period, in seconds; more than 0.
        what: the name of the events in an error message: "Too many requests; …".
    """
    kinds: dict[str, type[SlidingWindow | TokenBucket]] = {
        "sliding_window": SlidingWindow,
        "token_bucket": TokenBucket,
    }
    return kinds[kind](limit, period, what)


def _refusal(what: str, now: float, free_at: float) -> RateLimited:
    retry_after = free_at - now
    # The difference is rounded, so adding it to `now` may fall short of
    # `free_at`; of two neighbours at least one does not.
    if now + retry_after < free_at:
        retry_after = math.nextafter(retry_after, math.inf)

    # Rounded up, because a caller that waits exactly this long must pass.
    tenths = math.ceil(retry_after * 10)
    return RateLimited(f"Too many {what}; try again in {tenths / 10} s.", retry_after=retry_after)
