"""Where a client is, though a proxy may stand before the server. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from ..errors import Invalid

__all__ = ["Network", "client_address", "networks_of"]

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

FORWARDED_FOR = b"x-forwarded-for"


def networks_of(names: Iterable[str]) -> list[Network]:
    """
    Read addresses and networks, like ``10.0.0.0/8``.

    Raises:
        Invalid: one of them is neither.
    """
    try:
        return [ip_network(name) for name in names]
    except ValueError as error:
        raise Invalid(f"trusted_proxies is of addresses and networks: {error}.") from error


def client_address(
    peer: str, headers: Iterable[tuple[bytes, bytes]], proxies: Sequence[Network]
) -> str:
    """
    Tell where a request comes from.

    A proxy adds whom it got the request from to the end of ``X-Forwarded-For``; what stands
    before that anybody may have written. So the client is the last who is no proxy of ours.

    Args:
        peer: the other end of the connection; nothing for a Unix socket, which only a
            proxy on this machine connects to.
        headers: of the request, their names in small letters.
        proxies: whose word counts.
    """
    named = [value.decode("latin-1") for name, value in headers if name == FORWARDED_FOR]
    hops = ",".join(named).split(",") if named else []
    address = peer
    while hops and _is_one_of(address, proxies):
        before = _parse(hops.pop())
        if before is None:
            break
        address = str(before)
    return address


def _is_one_of(address: str, proxies: Sequence[Network]) -> bool:
    if not address:
        return bool(proxies)
    parsed = _parse(address)
    return parsed is not None and any(parsed in network for network in proxies)


def _parse(text: str) -> Address | None:
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
