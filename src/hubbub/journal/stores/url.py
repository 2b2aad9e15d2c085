"""Opens the store that a hub's URL names."""

from __future__ import annotations

from random import Random

import anyio

from ...errors import Invalid
from ...extras import needs
from ..threads import Threads
from .contract import Store
from .memory import MemoryStore
from .sqlite import SQLiteStore

__all__ = ["close_store", "open_store"]

POSTGRES = ("postgresql://", "postgres://")


def open_store(url: str, random: Random | None = None) -> Store:
    """
    Open the store of a URL.

    Args:
        url: the path of a SQLite database, ``postgresql://user:password@host/database``, or
            ``memory://``.
        random: where the ids and secrets of a new journal come from; by default the operating
            system.

    Raises:
        Invalid: the URL names an unknown kind of store, or a server refuses it.
        MissingExtra: PostgreSQL's driver is not installed.
        Conflict: the database is already open.
        StorageError: the database cannot be opened.
    """
    if url == "memory://":
        return MemoryStore(random)
    if url.startswith(POSTGRES):
        with needs("postgres", "A PostgreSQL database"):
            from .postgres.store import PostgresStore  # noqa: PLC0415
        return PostgresStore(url, random)
    if "://" in url:
        scheme = url.partition("://")[0]
        raise Invalid(
            f"There is no store for {scheme}://; use the path of a file, postgresql:// or "
            "memory://."
        )
    return SQLiteStore(url, random)


async def close_store(store: Store) -> None:
    """Close a store in a thread, also when the caller is cancelled."""
    with anyio.CancelScope(shield=True):
        await Threads(1).run(store.close)
