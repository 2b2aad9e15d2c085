"""Opens the bus that a URL names; its package is imported only then."""

from __future__ import annotations

from typing import Protocol, runtime_checkable
from urllib.parse import SplitResult, unquote, urlsplit

from ...errors import Invalid
from ...extras import needs
from ..stores.contract import Store
from .bus import Bus
from .bus_address import BusAddress

__all__ = ["BringsBus", "bus_of", "open_bus", "open_notify_bus", "read_bus_url"]

PORT = 6379
SENTINEL_PORT = 26379
# The scheme of a URL -> what answers there.
KINDS = {"": "server", "cluster": "cluster", "sentinel": "sentinel"}
# The same with TLS, and without.
SCHEMES = {"redis": False, "rediss": True, "valkey": False, "valkeys": True}


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


def open_bus(url: str, journal_id: str) -> Bus:
    """
    Open the bus of a URL, in a worker thread; it connects when it runs.

    Args:
        url: see :func:`read_bus_url`.
        journal_id: of the store, so that several clusters can share a bus.

    Raises:
        Invalid: the URL names no bus.
        MissingExtra: the package that it needs is not installed.
    """
    address = read_bus_url(url)
    with needs("valkey", "A Valkey or Redis bus"):
        from .valkey_bus import ValkeyBus  # noqa: PLC0415
    return ValkeyBus(address, journal_id)


def open_notify_bus(store_url: str, journal_id: str) -> Bus:
    """
    Open the bus that PostgreSQL itself is, in a worker thread; it connects when it runs.

    Args:
        store_url: of the database. It must lead to the server itself, or to a pooler that keeps
            sessions: a transaction pooler loses what a session listens to.
        journal_id: of the store, so that several clusters can share a database.

    Raises:
        MissingExtra: the package that it needs is not installed.
    """
    with needs("postgres", "A bus over PostgreSQL"):
        from .notify_bus import NotifyBus  # noqa: PLC0415
    return NotifyBus(store_url, journal_id)


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


@runtime_checkable
class BringsBus(Protocol):
    """A store that can carry frames as well."""

    def new_bus(self) -> Bus:
        """Return a bus, on connections of its own."""


def bus_of(store: Store) -> Bus | None:
    """Return the bus that a store brings, if any."""
    return store.new_bus() if isinstance(store, BringsBus) else None
