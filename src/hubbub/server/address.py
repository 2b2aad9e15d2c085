"""The address of a client, behind a proxy as well. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..addresses import Network, is_one_of, parse_address

__all__ = [
    "client_address",
]

FORWARDED_FOR = b"x-forwarded-for"


def client_address(
    peer: str, headers: Iterable[tuple[bytes, bytes]], proxies: Sequence[Network]
) -> str:
    """
    Return the address that a request comes from.

    A proxy appends the address that it got the request from to ``X-Forwarded-For``. Anybody can
    have written the entries before that, so the client is the last one that is no proxy of ours.

    Args:
        peer: the other end of the connection; nothing for a Unix socket, which only a
            proxy on this machine connects to.
        headers: of the request, with names in lower case.
        proxies: the proxies that the server trusts.
    """
    named = [value.decode("latin-1") for name, value in headers if name == FORWARDED_FOR]
    hops = ",".join(named).split(",") if named else []
    address = peer
    while hops and _is_trusted(address, proxies):
        before = parse_address(hops.pop())
        if before is None:
            break
        address = str(before)
    return address


def _is_trusted(address: str, proxies: Sequence[Network]) -> bool:
    if not address:
        return bool(proxies)
    parsed = parse_address(address)
    return parsed is not None and is_one_of(parsed, proxies)
