"""
How often a user may do over a network what lasts, or what others are told of. Pure.

Each feature says which of its commands is counted as what. Each count is by user, and ten
times as much by address, so that many guests at one address are no way around it.
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

# Many people may come from one address.
ADDRESS_FACTOR = 10
# Users and addresses whose counts are remembered, of each kind; the least recent goes first.
KEYS_MAX = 10_000


class Quota(msgspec.Struct, frozen=True):
    """
    Something that is counted.

    Args:
        what: it, in a refusal's message: "Too many new rooms; …".
        limit: the setting that says how often.
        period: the setting that says in how many seconds.
        creates: a kind of stream: only commands that begin one are counted.
        always: True if a command is counted that writes nothing.
        by_user: False if only addresses are limited, to the setting itself.
    """

    what: str
    limit: str
    period: str = "creations_period"
    creates: str = ""
    always: bool = False
    by_user: bool = True


GUESTS = Quota("new guests", "guests_per_address", by_user=False)
# What others see, and what may be done often.
CHANGES = Quota("changes", "change_limit", "change_period")
# How often others are told that a user comes, goes, or looks away.
PRESENCE = Quota("changes of presence", "presence_limit", "signal_period")
SIGNALS = Quota("signals", "signal_limit", "signal_period", always=True)


NOTHING: Mapping[str, Quota] = {}


class Quotas:
    """
    What has been counted at a hub. A restart forgets it.

    Args:
        settings: the limits, the clock, and the addresses of proxies.
        table: a method of a service -> what it is counted as.
    """

    def __init__(self, settings: Settings, table: Mapping[str, Quota] = NOTHING) -> None:
        self._settings = settings
        self._table = table
        self._proxies: list[Network] | None = None
        self._by_user: dict[str, RateLimits] = {}
        self._by_place: dict[str, RateLimits] = {}

    def of(self, method: str) -> Quota | None:
        """Return what a method is counted as, like ``chat.react``; None if it is not."""
        return self._table.get(method)

    def charge(self, quota: Quota, user: str, address: str) -> None:
        """
        Count something once.

        Args:
            quota: what it is.
            user: the user who does it.
            address: where the user is; a proxy's own counts as no place at all.

        Raises:
            RateLimited: it was done too often; nothing was counted.
        """
        now = self._settings.clock.monotonic()
        if quota.by_user:
            self._limits(self._by_user, quota, 1).charge(user, now)
        if not (place := self._place(address)):
            return
        factor = ADDRESS_FACTOR if quota.by_user else 1
        try:
            self._limits(self._by_place, quota, factor).charge(place, now)
        except RateLimited:
            if quota.by_user:
                self._limits(self._by_user, quota, 1).refund(user)
            raise

    def refund(self, quota: Quota, user: str, address: str) -> None:
        """Count something once less: it was refused after all."""
        if quota.by_user:
            self._limits(self._by_user, quota, 1).refund(user)
        if place := self._place(address):
            factor = ADDRESS_FACTOR if quota.by_user else 1
            self._limits(self._by_place, quota, factor).refund(place)

    def _limits(self, limits: dict[str, RateLimits], quota: Quota, factor: int) -> RateLimits:
        found = limits.get(quota.limit)
        if found is None:
            most: int = getattr(self._settings, quota.limit) * factor
            period: float = getattr(self._settings, quota.period)
            found = limits[quota.limit] = RateLimits(
                lambda: TokenBucket(most, period, quota.what), KEYS_MAX
            )
        return found

    def _place(self, address: str) -> str:
        # Behind a proxy that does not say where they are, all clients would be in one place.
        if not address:
            return ""
        if self._proxies is None:
            self._proxies = networks_of(self._settings.trusted_proxies)
        parsed = parse_address(address)
        if parsed is not None and is_one_of(parsed, self._proxies):
            return ""
        return place_of(address)
