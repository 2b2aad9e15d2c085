"""Opens the store that a hub's URL names."""

from __future__ import annotations

from random import Random

import anyio

from ...errors import Invalid
from ..threads import Threads
from .contract import Store
from .memory import MemoryStore
from .sqlite import SQLiteStore

__all__ = ["close_store", "open_store"]


def open_store(url: str, random: Random | None = None) -> Store:
    """
    Open the store of a URL.

    Args:
        url: ``memory://``, or the path of a SQLite database.
        random: where the ids and secrets of a new journal come from; by default the operating
            system.

    Raises:
        Invalid: the URL names an unknown kind of store.
        Conflict: the database is already open.
        StorageError: the database cannot be opened.
    """
    if url == "memory://":
        return MemoryStore(random)
    if "://" in url:
        raise Invalid(f"There is no store for {url!r}; use memory:// or the path of a file.")
    return SQLiteStore(url, random)


async def close_store(store: Store) -> None:
    """Close a store in a thread, also when the caller is cancelled."""
    with anyio.CancelScope(shield=True):
        await Threads(1).run(store.close)
