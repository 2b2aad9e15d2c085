"""
Which idempotency keys the store may have: a new key needs no look at the disk.

A Bloom filter (B. H. Bloom, "Space/time trade-offs in hash coding with allowable errors", 1970)
holds every key that is used, in a fixed number of bytes. It may take a new key for a used one,
which costs a look at the store; it never takes a used key for a new one. It forgets no key,
because a late commit may still write it. A restart begins a new filter, without expired keys.
"""

from __future__ import annotations

__all__ = ["FILTER_BITS", "KnownKeys"]

# 8 MB: of ten million keys, seven new keys in a hundred cost a look at the store.
FILTER_BITS = 1 << 26


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
