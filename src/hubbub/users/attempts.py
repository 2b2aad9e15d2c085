"""
How often a password may be tried: by account and address together, and by address. Pure.

Nobody is locked out of an account from elsewhere. And those who have signed in to an account
from an address before are not stopped by what others try from there.
"""

from __future__ import annotations

from collections import OrderedDict

from ..addresses import place_of
from ..ratelimit import RateLimits, SlidingWindow

__all__ = ["ATTEMPTS_ADDRESS_FACTOR", "ATTEMPTS_KEYS_MAX", "KNOWN_FACTOR", "Attempts"]

# Accounts and addresses whose attempts are remembered.
ATTEMPTS_KEYS_MAX = 10_000
# Many people may come from one address.
ATTEMPTS_ADDRESS_FACTOR = 10
# Where somebody has signed in before, others may be: they are slowed down, and never for long.
KNOWN_FACTOR = 10

WHAT = "attempts to sign in"


class Attempts:
    """
    Counts attempts to sign in.

    Args:
        limit: how many are permitted to one account from one address in any ``period``.
        period: in seconds.
    """

    def __init__(self, limit: int, period: float) -> None:
        def limits(factor: int) -> RateLimits:
            return RateLimits(
                lambda: SlidingWindow(limit * factor, period, WHAT), ATTEMPTS_KEYS_MAX
            )

        self._by_both = limits(1)
        self._by_address = limits(ATTEMPTS_ADDRESS_FACTOR)
        self._by_known = limits(KNOWN_FACTOR)
        # Accounts and the addresses that somebody has signed in to them from.
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def charge(self, account: str, address: str, now: float) -> None:
        """
        Count an attempt.

        Args:
            account: what is tried.
            address: where it is tried from.
            now: the time, in seconds.

        Raises:
            RateLimited: there were too many.
        """
        both = f"{place_of(address)}\n{account}"
        if self.is_known(account, address):
            self._by_known.charge(both, now)
            return
        self.charge_address(address, now)
        self._by_both.charge(both, now)

    def charge_address(self, address: str, now: float) -> None:
        """
        Count an attempt at anything.

        Raises:
            RateLimited: there were too many from this address.
        """
        self._by_address.charge(place_of(address), now)

    def succeeded(self, account: str, address: str) -> None:
        """Remember that somebody has signed in to an account from an address."""
        key = (account, place_of(address))
        self._known[key] = None
        self._known.move_to_end(key)
        if len(self._known) > ATTEMPTS_KEYS_MAX:
            self._known.popitem(last=False)

    def is_known(self, account: str, address: str) -> bool:
        """Tell whether somebody has signed in to an account from an address before."""
        return (account, place_of(address)) in self._known
