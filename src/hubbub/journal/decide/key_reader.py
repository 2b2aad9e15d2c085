"""Reads which idempotency keys a store has, beside the commands."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import anyio.lowlevel

from ...clock import Clock
from ..stores.contract import Store, Used
from ..threads import Threads
from .known_keys import KnownKeys

__all__ = ["PAGE_KEYS", "KeyReader"]

# The keys that are read at once.
PAGE_KEYS = 500
# How long to pause after a page, as a multiple of its time: commands have the rest.
PAUSE_FACTOR = 4


class KeyReader:
    """
    Fills the filter with the keys of a store, page by page, beside the commands.

    Args:
        store: the store.
        known: the filter.
        clock: measures how long a page takes.
    """

    def __init__(self, store: Store, known: KnownKeys, clock: Clock) -> None:
        self._store = store
        self._known = known
        self._clock = clock
        self._threads = Threads(1)

    async def run(self) -> None:
        """
        Read all keys.

        Raises:
            StorageError: the store cannot be read; run it again.
        """
        after = ("", "")
        while True:
            began = self._clock.monotonic()
            page = await self._page(after)
            for used in page:
                self._known.add(used.by, used.key)
            if len(page) < PAGE_KEYS:
                self._known.complete = True
                return
            after = page[-1].by, page[-1].key
            await anyio.sleep(PAUSE_FACTOR * (self._clock.monotonic() - began))

    async def _page(self, after: tuple[str, str]) -> Sequence[Used]:
        if self._store.blocking:
            return await self._threads.run(self._store.keys, after, PAGE_KEYS)
        await anyio.lowlevel.checkpoint()
        return self._store.keys(after, PAGE_KEYS)
