"""
Places for connections: how many there may be in all, per address and per user. Pure.

No client can take every place: an address gets at most half of them, and a user a quarter.
When all are taken, the server closes a connection that has made no request yet, for the next
one that comes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache, partial

from ..addresses import Network, is_one_of, networks_of, parse_address, place_of
from ..settings import Settings

__all__ = ["PLACES_SPARE_MAX", "Places"]

# Connections above connections_max: for clients that get the answer that the server is full, and
# for health checks.
PLACES_SPARE_MAX = 64
# Addresses for which the server remembers whether each is a proxy.
ADDRESSES_KEPT_MAX = 4096


class Places:
    """
    Counts connections, and tells whether there is room for another.

    Args:
        settings: `connections_max`, `connections_per_address_max`,
            `connections_per_user_max`, and the proxies, whose connections many clients share.

    Raises:
        Invalid: the setting ``trusted_proxies`` has a value that is no address or network.
    """

    def __init__(self, settings: Settings) -> None:
        most = settings.connections_max
        self.max = most + max(1, min(PLACES_SPARE_MAX, most // 8))
        self.per_address_max = max(1, min(settings.connections_per_address_max, most // 2))
        self.per_user_max = max(1, min(settings.connections_per_user_max, most // 4))
        self.count = 0
        # Tells whether many clients share an address. Each connection asks several times.
        proxies = networks_of(settings.trusted_proxies)
        self.is_shared = lru_cache(ADDRESSES_KEPT_MAX)(partial(_is_in, proxies))
        self._by_address: Counter[str] = Counter()
        self._sockets: Counter[str] = Counter()
        self._by_user: Counter[str] = Counter()
        # Connections that have made no request yet, the oldest first, and what closes each.
        self._waiting: dict[object, Callable[[], None]] = {}

    def enter(self, address: str) -> bool:
        """
        Take a place for a TCP connection.

        Args:
            address: the other end. A trusted proxy's counts only in the total, because
                many clients share it.

        Returns:
            False if there is no place; then do not call `leave`.
        """
        if self.count >= self.max:
            self._let_one_go()
        if self.count >= self.max:
            return False
        if not self.is_shared(address) and not _take(
            self._by_address, place_of(address), self.per_address_max
        ):
            return False
        self.count += 1
        return True

    def leave(self, address: str) -> None:
        """Release the place of a TCP connection."""
        self.count -= 1
        if not self.is_shared(address):
            _give_back(self._by_address, place_of(address))

    def enter_socket(self, address: str) -> bool:
        """
        Take a place for a WebSocket or a stream of events.

        Args:
            address: the client's, perhaps from the header of a trusted proxy: behind one,
                many TCP connections have the same address, and this limits each client.

        Returns:
            False if the address has too many; then do not call `leave_socket`.
        """
        if self.is_shared(address):
            return True
        return _take(self._sockets, place_of(address), self.per_address_max)

    def leave_socket(self, address: str) -> None:
        """Release the place that `enter_socket` has taken."""
        if not self.is_shared(address):
            _give_back(self._sockets, place_of(address))

    def enter_user(self, user: str) -> bool:
        """Take a place for a user's connection; False if the user has too many."""
        return _take(self._by_user, user, self.per_user_max)

    def leave_user(self, user: str) -> None:
        """Release the place of a user's connection."""
        _give_back(self._by_user, user)

    def wait(self, connection: object, let_go: Callable[[], None]) -> None:
        """
        Note that a connection has made no request yet.

        Args:
            connection: a connection that has a place.
            let_go: closes it and releases its place, at once.
        """
        self._waiting.setdefault(connection, let_go)

    def wait_no_more(self, connection: object) -> None:
        """Note that a connection has made a request, or is gone."""
        self._waiting.pop(connection, None)

    def _let_one_go(self) -> None:
        if self._waiting:
            self._waiting.pop(next(iter(self._waiting)))()


def _take(counts: Counter[str], name: str, most: int) -> bool:
    if counts[name] >= most:
        return False
    counts[name] += 1
    return True


def _give_back(counts: Counter[str], name: str) -> None:
    counts[name] -= 1
    if counts[name] <= 0:
        del counts[name]


def _is_in(networks: Sequence[Network], address: str) -> bool:
    # A Unix socket has no address; a proxy on this machine connects to it.
    parsed = parse_address(address)
    return parsed is None or is_one_of(parsed, networks)
