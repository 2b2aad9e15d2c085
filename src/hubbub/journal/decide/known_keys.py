"""
Which idempotency keys the store may have: a new key needs no look at the disk.

A Bloom filter (B. H. Bloom, "Space/time trade-offs in hash coding with allowable errors", 1970)
holds every key that is used, in a fixed number of bytes. It may take a new key for a used one,
which costs a look at the store; it never takes a used key for a new one. It forgets no key,
because a commit that is late may still write it: a restart makes it anew, without expired keys.
"""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import anyio.lowlevel

from ...clock import Clock
from ..stores.contract import Store, Used
from ..threads import Threads

__all__ = ["FILTER_BITS", "KeyReader", "KnownKeys"]

# 8 MB: with ten million keys, the store is asked for seven new keys in a hundred.
FILTER_BITS = 1 << 26
# The keys that are read at once.
PAGE_KEYS = 500
# How long to pause after a page, as a multiple of its time: commands have the rest.
PAUSE_FACTOR = 4


class KnownKeys:
    """
    The filter: two bits for each key, from the two halves of one hash.

    Args:
        bits: its size; a power of two, and at least 8.
    """

    __slots__ = ("_bits", "_mask", "complete")

    def __init__(self, bits: int = FILTER_BITS) -> None:
        self._bits = bytearray(bits // 8)
        self._mask = bits - 1
        # False until it has all keys of the store: until then no key is new.
        self.complete = False

    def is_new(self, by: str, key: str) -> bool:
        """Return True if the store cannot have the key."""
        one = hash((by, key))
        other = one >> 32
        bits, mask = self._bits, self._mask
        return self.complete and not (
            bits[(one & mask) >> 3] & 1 << (one & 7)
            and bits[(other & mask) >> 3] & 1 << (other & 7)
        )

    def add(self, by: str, key: str) -> None:
        """Note that a key is used."""
        one = hash((by, key))
        other = one >> 32
        bits, mask = self._bits, self._mask
        bits[(one & mask) >> 3] |= 1 << (one & 7)
        bits[(other & mask) >> 3] |= 1 << (other & 7)


class KeyReader:
    """
    Fills the filter with the keys of a store, page by page, while commands go on.

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
