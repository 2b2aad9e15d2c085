"""
The names that you need to write a store of your own, or to wrap one.

Pass it to ``hubbub.open(store=…)``; :class:`Store` says what it must do.
"""

from __future__ import annotations

from .journal.stores.contract import (
    Batch,
    Loaded,
    PlacedEvent,
    Record,
    Snapshot,
    Stale,
    Store,
    Used,
)
from .journal.stores.memory import MemoryStore
from .journal.stores.sharing import Hold, News, NodeRecord, SharedStore, Wanted
from .journal.stores.sqlite import SQLiteStore

__all__ = [
    "Batch",
    "Hold",
    "Loaded",
    "MemoryStore",
    "News",
    "NodeRecord",
    "PlacedEvent",
    "Record",
    "SQLiteStore",
    "SharedStore",
    "Snapshot",
    "Stale",
    "Store",
    "Used",
    "Wanted",
]
