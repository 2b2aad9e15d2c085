"""
The rate limits that decisions charge.

Where this node is alone they are in memory, and a restart forgets at most one period. Where other
nodes charge the same limits, the store keeps them: a batch holds the limits that it charges, and
writes them with its events.
"""

from __future__ import annotations

import logging
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import cast

from ...errors import RateLimited
from ...ratelimit import RateLimit, StoredRateLimit
from .cache_entries import Name, NotLoaded

__all__ = ["LIMITS_MAX", "LimitKey", "Limits", "is_limit", "name_of_limit"]

logger = logging.getLogger("hubbub.journal")

# Rate limits that are remembered.
LIMITS_MAX = 100_000

# The name of a limit, and a user.
LimitKey = tuple[str, str]


def is_limit(name: Name) -> bool:
    """Return whether a name is that of a limit; a limit is held, and not loaded."""
    return isinstance(name, tuple) and len(name) == 4


def name_of_limit(what: str, user: str) -> Name:
    """Return the name under which a batch holds a limit."""
    return what, user, "", ""


class Limits:
    """
    All rate limits of a hub, or the limits that a batch holds.

    Args:
        new_limit: makes a rate limit for a name.
    """

    def __init__(self, new_limit: Callable[[str], RateLimit]) -> None:
        # The time that is passed to a limit: of this node, and of the store.
        self.monotonic = 0.0
        self.wall = 0.0
        self._new_limit = new_limit
        self._stored: dict[str, bool] = {}
        # The name of a limit -> each user's, in the order in which they were last charged.
        self._limits: defaultdict[str, OrderedDict[str, RateLimit]] = defaultdict(OrderedDict)
        self._count = 0
        # The limits that the batch holds; None where this node is alone.
        self._held: dict[LimitKey, StoredRateLimit] | None = None
        self._charged: set[LimitKey] = set()
        # The limits that the current call has charged.
        self._uses: list[RateLimit] = []

    @property
    def shared(self) -> bool:
        """True if other nodes charge the same limits."""
        return self._held is not None

    def hold(self, keys: Iterable[LimitKey], stored: Mapping[LimitKey, bytes]) -> None:
        """
        Begin a batch that charges limits which other nodes charge, too.

        Args:
            keys: the limits that the batch holds.
            stored: what the store has of them.
        """
        self._charged.clear()
        self._held = {}
        for key in keys:
            if self._is_stored(key[0]):
                self._held[key] = self._load(key, stored.get(key))

    def charged(self) -> dict[LimitKey, bytes]:
        """Return the state of each held limit that was charged."""
        held = self._held or {}
        return {key: held[key].dump() for key in self._charged}

    def charge(self, what: str, users: Iterable[str]) -> None:
        """Count one use against a limit of each user; see :meth:`States.charge`."""
        if self._held is not None:
            self._charge_held([(what, user) for user in users], self._held)
            return
        # Each message is charged here.
        limits, charged = self._limits[what], list[RateLimit]()
        try:
            for user in users:
                if (limit := limits.get(user)) is None:
                    limit = self._limit((what, user))
                else:
                    limits.move_to_end(user)
                limit.charge(self.monotonic)
                charged.append(limit)
        except RateLimited:
            for limit in charged:
                limit.refund()
            raise

    def _charge_held(
        self, keys: Sequence[LimitKey], held: Mapping[LimitKey, StoredRateLimit]
    ) -> None:
        self.need(keys)
        mine = ((self._limit(key), self.monotonic) for key in keys if key not in held)
        _charge_all([*((held[key], self.wall) for key in keys if key in held), *mine])
        self._charged.update(key for key in keys if key in held)
        self._uses += [held[key] for key in keys if key in held]

    def need(self, keys: Iterable[LimitKey]) -> None:
        """
        Require several limits, so that a batch holds them together.

        Raises:
            NotLoaded: decide again when a batch holds all of them.
        """
        if self._held is not None:
            elsewhere = [key for key in keys if key not in self._held]
            if missing := [key for key in elsewhere if self._is_stored(key[0])]:
                raise NotLoaded(*(name_of_limit(*key) for key in missing))

    def begin_call(self) -> None:
        """Note that another call is decided from now on."""
        self._uses.clear()

    def undo_call(self) -> None:
        """Uncount what the current call has charged, because it is not decided after all."""
        while self._uses:
            self._uses.pop().refund()

    def forget(self, users: Iterable[str]) -> None:
        """Drop the limits of users who were charged for commands that were not written."""
        for user in set(users):
            for limits in self._limits.values():
                self._count -= limits.pop(user, None) is not None

    def _is_stored(self, what: str) -> bool:
        """Return whether the store can keep a limit; a feature's own kind may be another."""
        stored = self._stored.get(what)
        if stored is None:
            # To look at the class each time would take longer than to charge.
            stored = self._stored[what] = isinstance(self._new_limit(what), StoredRateLimit)
        return stored

    def _load(self, key: LimitKey, state: bytes | None) -> StoredRateLimit:
        limit = cast(StoredRateLimit, self._new_limit(key[0]))
        if state is not None:
            try:
                limit.load(state)
            except Exception:  # a fault of this limit, which must not fail the whole batch
                logger.exception("the limit %s of %s cannot be read, and starts over", *key)
                return cast(StoredRateLimit, self._new_limit(key[0]))
        return limit

    def _limit(self, key: LimitKey) -> RateLimit:
        what, user = key
        limits = self._limits[what]
        limit = limits.get(user)
        if limit is not None:
            limits.move_to_end(user)
            return limit
        if self._count >= LIMITS_MAX:
            self._forget_one()
        self._count += 1
        limit = limits[user] = self._new_limit(what)
        return limit

    def _forget_one(self) -> None:
        """Drop the limit that somebody misses least, at a cost that does not grow with them."""
        kinds = [limits for limits in self._limits.values() if limits]
        # Limits of a name become idle in the order in which they were last charged.
        idle = (limits for limits in kinds if _first(limits).idle(self.monotonic))
        # If none is idle, the name with the most limits loses one.
        next(idle, max(kinds, key=len)).popitem(last=False)
        self._count -= 1


def _first(limits: Mapping[str, RateLimit]) -> RateLimit:
    return next(iter(limits.values()))


def _charge_all(limits: Iterable[tuple[RateLimit, float]]) -> None:
    """Charge limits, each at a time by its own clock, or none of them."""
    charged: list[RateLimit] = []
    try:
        for limit, now in limits:
            limit.charge(now)
            charged.append(limit)
    except RateLimited:
        for limit in charged:
            limit.refund()
        raise
