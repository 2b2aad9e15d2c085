"""
How often a client can try a password: by account and address together, and by address. Pure.

An attacker at another address cannot lock a user out of an account. And if a user has signed in
to the account from an address before, attempts of others at that address do not stop them.

One node counts in memory. Nodes that share a store count in its limits, under digests of the names
and addresses.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b

from ..addresses import place_of
from ..ratelimit import RateLimit, RateLimits, SlidingWindow
from ..settings import Settings

__all__ = [
    "ATTEMPTS_ADDRESS_FACTOR",
    "ATTEMPTS_KEYS_MAX",
    "ATTEMPT_LIMITS",
    "KNOWN_FACTOR",
    "TICKET_LIMIT",
    "Attempts",
]

# The number of accounts and addresses whose attempts are remembered.
ATTEMPTS_KEYS_MAX = 10_000
# Many people can share one address.
ATTEMPTS_ADDRESS_FACTOR = 10
# Where a user has signed in before, others may be too: slow them down, and never for long.
KNOWN_FACTOR = 10

WHAT = "attempts to sign in"
# The name of the limit that each ticket for events has.
TICKET_LIMIT = "ticket_uses"
DAY_SECONDS = 24 * 3600.0


def _limit(factor: int) -> Callable[[Settings], RateLimit]:
    def limit(settings: Settings) -> RateLimit:
        most, period = settings.password_attempts * factor, settings.password_attempts_period
        return SlidingWindow(most, period, WHAT)

    return limit


def _one_use(settings: Settings) -> RateLimit:
    # Much longer than a ticket lasts, even if the clocks of two nodes differ by hours.
    return SlidingWindow(1, settings.ticket_seconds + DAY_SECONDS, "uses of this ticket")


# The limits that nodes with a shared store charge.
ATTEMPT_LIMITS: Mapping[str, Callable[[Settings], RateLimit]] = {
    TICKET_LIMIT: _one_use,
    "attempts": _limit(1),
    "attempts_by_address": _limit(ATTEMPTS_ADDRESS_FACTOR),
    "attempts_from_known": _limit(KNOWN_FACTOR),
}


class Attempts:
    """
    Counts attempts to sign in.

    Args:
        limit: the number of attempts for one account from one address in any ``period``.
        period: its length in seconds.
    """

    def __init__(self, limit: int, period: float) -> None:
        def limits(factor: int) -> RateLimits:
            return RateLimits(
                lambda: SlidingWindow(limit * factor, period, WHAT), ATTEMPTS_KEYS_MAX
            )

        self._by_both = limits(1)
        self._by_address = limits(ATTEMPTS_ADDRESS_FACTOR)
        self._by_known = limits(KNOWN_FACTOR)
        # Accounts and the addresses that users have signed in to them from.
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def charge(self, account: str, address: str, now: float) -> None:
        """
        Count an attempt.

        Args:
            account: the name of the account.
            address: the client's address.
            now: the time, in seconds.

        Raises:
            RateLimited: there were too many attempts.
        """
        both = f"{place_of(address)}\n{account}"
        if self.is_known(account, address):
            self._by_known.charge(both, now)
            return
        self.charge_address(address, now)
        self._by_both.charge(both, now)

    def charges(self, account: str, address: str) -> Sequence[tuple[str, str]]:
        """Return the limits of ``ATTEMPT_LIMITS`` to charge for an attempt, instead of this."""
        both = _digest(f"{place_of(address)}\n{account}")
        if self.is_known(account, address):
            return [("attempts_from_known", both)]
        return [*self.address_charges(address), ("attempts", both)]

    def address_charges(self, address: str) -> Sequence[tuple[str, str]]:
        """Return the limits to charge for an attempt for any account."""
        return [("attempts_by_address", _digest(place_of(address)))]

    def charge_address(self, address: str, now: float) -> None:
        """
        Count an attempt for any account.

        Raises:
            RateLimited: there were too many attempts from this address.
        """
        self._by_address.charge(place_of(address), now)

    def succeeded(self, account: str, address: str) -> None:
        """Remember that a user has signed in to an account from an address."""
        key = (account, place_of(address))
        self._known[key] = None
        self._known.move_to_end(key)
        if len(self._known) > ATTEMPTS_KEYS_MAX:
            self._known.popitem(last=False)

    def is_known(self, account: str, address: str) -> bool:
        """Return whether a user has signed in to an account from an address before."""
        return (account, place_of(address)) in self._known


def _digest(key: str) -> str:
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
