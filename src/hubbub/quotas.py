"""
How often a user can do something over a network that is stored, or sent to others. Pure.

Each feature declares which of its commands count against which quota. Hubbub counts by user,
and allows ten times as much by address, so that many guests at one address cannot get around it.

Nodes that share a store count a user's commands together, in the limits of the journal. Each of
them counts for itself what is limited by address, and what is not stored, such as signals.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from .addresses import Network, is_one_of, networks_of, parse_address, place_of
from .errors import RateLimited
from .ratelimit import RateLimits, TokenBucket
from .settings import Settings

__all__ = [
    "ADDRESS_FACTOR",
    "CHANGES",
    "GUESTS",
    "KEYS_MAX",
    "PRESENCE",
    "SIGNALS",
    "Quota",
    "Quotas",
]

# Many people can share one address.
ADDRESS_FACTOR = 10
# The users and addresses whose counts Hubbub remembers, of each kind; it forgets the least
# recently used first.
KEYS_MAX = 10_000


class Quota(msgspec.Struct, frozen=True):
    """
    A limit on how often something happens.

    Args:
        what: its name in an error message: "Too many new rooms; …".
        limit: the setting with the number of times.
        period: the setting with the number of seconds.
        creates: a kind of stream: only commands that create such a stream count.
        always: True if a command counts that writes nothing.
        by_user: False to limit only addresses, each to the setting itself.
    """

    what: str
    limit: str
    period: str = "creations_period"
    creates: str = ""
    always: bool = False
    by_user: bool = True

    @property
    def name(self) -> str:
        """The name of the limit that nodes with a shared store charge for a user."""
        return f"quota {self.limit}"

    def new_limit(self, settings: Settings, factor: int = 1) -> TokenBucket:
        """Make the limit of one user, or a multiple of it."""
        most: int = getattr(settings, self.limit) * factor
        period: float = getattr(settings, self.period)
        return TokenBucket(most, period, self.what)


GUESTS = Quota("new guests", "guests_per_address", by_user=False)
# Changes that others see, and that are cheap.
CHANGES = Quota("changes", "change_limit", "change_period")
# How often other users get a signal that a user connects, disconnects, or is away.
PRESENCE = Quota("changes of presence", "presence_limit", "signal_period")
SIGNALS = Quota("signals", "signal_limit", "signal_period", always=True)


NOTHING: Mapping[str, Quota] = {}


class Quotas:
    """
    The counts of a hub. A restart resets them.

    Args:
        settings: the limits, the clock, and the addresses of proxies.
        table: a method of a service -> its quota.
    """

    def __init__(self, settings: Settings, table: Mapping[str, Quota] = NOTHING) -> None:
        self._settings = settings
        self._table = table
        self._proxies: list[Network] | None = None
        self._by_user: dict[str, RateLimits] = {}
        self._by_place: dict[str, RateLimits] = {}

    def of(self, method: str) -> Quota | None:
        """Return the quota of a method, like ``chat.react``; None if it has none."""
        return self._table.get(method)

    def charge(self, quota: Quota, user: str, address: str) -> None:
        """
        Count something once.

        Args:
            quota: the quota to charge.
            user: the user's id.
            address: the user's address; a proxy's own address is not limited.

        Raises:
            RateLimited: the limit is reached; nothing was counted.
        """
        now = self._settings.clock.monotonic()
        if quota.by_user:
            self._limits(self._by_user, quota, 1).charge(user, now)
        try:
            self.charge_place(quota, address)
        except RateLimited:
            if quota.by_user:
                self._limits(self._by_user, quota, 1).refund(user)
            raise

    def charge_place(self, quota: Quota, address: str) -> None:
        """
        Count something once by address only, because the journal counts it by user.

        Raises:
            RateLimited: the limit is reached; nothing was counted.
        """
        if place := self._place(address):
            factor = ADDRESS_FACTOR if quota.by_user else 1
            now = self._settings.clock.monotonic()
            self._limits(self._by_place, quota, factor).charge(place, now)

    def refund(self, quota: Quota, user: str, address: str) -> None:
        """Uncount something that was refused after all."""
        if quota.by_user:
            self._limits(self._by_user, quota, 1).refund(user)
        if place := self._place(address):
            factor = ADDRESS_FACTOR if quota.by_user else 1
            self._limits(self._by_place, quota, factor).refund(place)

    def _limits(self, limits: dict[str, RateLimits], quota: Quota, factor: int) -> RateLimits:
        found = limits.get(quota.limit)
        if found is None:
            found = limits[quota.limit] = RateLimits(
                lambda: quota.new_limit(self._settings, factor), KEYS_MAX
            )
        return found

    def _place(self, address: str) -> str:
        # Behind a proxy that does not forward addresses, all clients would share one address.
        if not address:
            return ""
        if self._proxies is None:
            self._proxies = networks_of(self._settings.trusted_proxies)
        parsed = parse_address(address)
        if parsed is not None and is_one_of(parsed, self._proxies):
            return ""
        return place_of(address)
