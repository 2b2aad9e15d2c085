"""Network addresses: parse them, match them against networks, group them for limits. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from .errors import Invalid

__all__ = ["Address", "Network", "is_one_of", "networks_of", "parse_address", "place_of"]

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# A provider assigns each customer at least a /64 of IPv6 (RFC 6177), so a single customer has
# many addresses to connect from.
IPV6_PREFIX_BITS = 64
# The number of client addresses whose network is cached.
PLACES_MAX = 4_096


def networks_of(names: Iterable[str]) -> list[Network]:
    """
    Parse addresses and networks, like ``10.0.0.0/8``.

    Raises:
        Invalid: one of the names is neither an address nor a network.
    """
    try:
        return [ip_network(name) for name in names]
    except ValueError as error:
        raise Invalid(
            f"trusted_proxies takes addresses and networks, like 10.0.0.0/8: {error}."
        ) from error


def is_one_of(address: Address, networks: Sequence[Network]) -> bool:
    """Return whether an address is in one of several networks."""
    return any(address in network for network in networks)


def parse_address(text: str) -> Address | None:
    """Parse an address, with or without a port; return None if the text is not an address."""
    text = text.strip()
    # Some proxies add the port: 192.0.2.1:4711, or [2001:db8::1]:4711.
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        parsed = ip_address(text)
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return mapped or parsed


@lru_cache(PLACES_MAX)
def place_of(address: str) -> str:
    """
    Return the key that limits by address use: an IPv4 address, or a /64 of IPv6.

    Args:
        address: the client's address; any other text is its own key.
    """
    parsed = parse_address(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((int(parsed), IPV6_PREFIX_BITS), strict=False))
    return address if parsed is None else str(parsed)
