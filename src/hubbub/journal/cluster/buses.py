"""Opens buses; each needs a package, which is imported only then."""

from __future__ import annotations

from ...extras import needs
from .bus import Bus
from .bus_url import read_bus_url

__all__ = ["open_bus", "open_notify_bus"]


def open_bus(url: str, journal_id: str) -> Bus:
    """
    Open the bus of a URL, in a worker thread; it connects when it runs.

    Args:
        url: see :func:`~hubbub.journal.cluster.bus_url.read_bus_url`.
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
