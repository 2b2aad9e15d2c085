"""The key store, for tasks: each step waits for the disk in a worker thread, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import anyio
from anyio import to_thread

from .store import KeyStore, MessageRow, RowChange

__all__ = ["Disk"]

T = TypeVar("T")


class Disk:
    """
    The data that a device keeps.

    Args:
        store: its file.
    """

    __slots__ = ("_lock", "store")

    def __init__(self, store: KeyStore) -> None:
        self.store = store
        self._lock = anyio.Lock()

    async def write(
        self,
        changes: Sequence[RowChange] = (),
        messages: Sequence[MessageRow] = (),
        seen: Sequence[tuple[str, int, int]] = (),
    ) -> None:
        """Write one step; see :meth:`KeyStore.write`. A step that has begun is finished."""
        async with self._lock:
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(self.store.write, changes, messages, seen)

    async def ask(self, work: Callable[..., T], *args: object) -> T:
        """Run something that reads the store."""
        async with self._lock:
            return await to_thread.run_sync(lambda: work(*args))
