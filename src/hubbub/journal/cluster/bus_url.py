"""The URLs of buses."""

from __future__ import annotations

from urllib.parse import SplitResult, unquote, urlsplit

import msgspec

from ...errors import Invalid

__all__ = ["BusAddress", "read_bus_url"]

PORT = 6379
SENTINEL_PORT = 26379
# The scheme of a URL -> what answers there.
KINDS = {"": "server", "cluster": "cluster", "sentinel": "sentinel"}
# The same with TLS, and without.
SCHEMES = {"redis": False, "rediss": True, "valkey": False, "valkeys": True}


class BusAddress(msgspec.Struct, frozen=True):
    """
    Where a bus is.

    Args:
        kind: ``server``, ``cluster`` or ``sentinel``.
        hosts: the hosts, each with its port; of a cluster and of sentinels, some of them.
        tls: True if the connections are encrypted.
        user, password: what to sign in with, if not empty.
        service: the service that the sentinels watch.
    """

    kind: str
    hosts: tuple[tuple[str, int], ...]
    tls: bool = False
    user: str = ""
    password: str = ""
    service: str = ""

    def __str__(self) -> str:
        return ", ".join(f"{host}:{port}" for host, port in self.hosts)


def read_bus_url(url: str) -> BusAddress:
    """
    Read the URL of a bus.

    Args:
        url: ``redis://[USER:PASSWORD@]HOST[:PORT]``, or ``valkey://``; ``rediss://`` and
            ``valkeys://`` with TLS; ``redis+cluster://HOST,HOST`` and
            ``redis+sentinel://HOST,HOST/SERVICE``.

    Raises:
        Invalid: it names no bus.
    """
    parts = urlsplit(url)
    scheme, _, kind = parts.scheme.partition("+")
    if scheme not in SCHEMES or kind not in KINDS:
        raise Invalid(
            f"There is no bus for {_shown(parts)!r}; use redis://HOST:6379 or valkey://HOST:6379, "
            "or no bus with PostgreSQL."
        )
    where = KINDS[kind]
    user, password, hosts = _authority(parts.netloc)
    service = unquote(parts.path.strip("/"))
    if where == "sentinel" and not service:
        raise Invalid(
            "The URL of sentinels ends with the name of their service: "
            "redis+sentinel://HOST:26379/SERVICE."
        )
    if where == "server" and "," in hosts:
        raise Invalid("A bus with several hosts is redis+cluster://… or redis+sentinel://….")
    port = SENTINEL_PORT if where == "sentinel" else PORT
    return BusAddress(
        where,
        tuple(_host(host, port) for host in hosts.split(",")),
        SCHEMES[scheme],
        user,
        password,
        service if where == "sentinel" else "",
    )


def _authority(netloc: str) -> tuple[str, str, str]:
    credentials, _, hosts = netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    return unquote(user), unquote(password), hosts


def _host(text: str, port: int) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname or "", parts.port or port
    except ValueError:
        host = ""
    if not host:
        raise Invalid(f"The bus has a host and perhaps a port, such as valkey:6379, not {text!r}.")
    return host, port


def _shown(parts: SplitResult) -> str:
    """Return a URL without its password."""
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
