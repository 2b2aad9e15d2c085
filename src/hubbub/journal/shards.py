"""
Streams that everybody would write to, in shards.

Nodes that share a store wait for one another where they write to the same stream. A stream about
all matches would be such a place for every node, so it has 16 shards: ``agenda/matches/0`` to
``agenda/matches/15``. The events of a shard are about few other streams, always the same ones.
"""

from __future__ import annotations

from zlib import crc32

__all__ = ["STREAM_SHARDS", "stream_shard", "stream_shards"]

# It is part of what is stored: another number would look for the entries in other shards.
STREAM_SHARDS = 16


def stream_shard(stream: str, about: str) -> str:
    """
    Return the shard of a stream that has the entries about another stream.

    Args:
        stream: the name without its number, such as ``agenda/matches``.
        about: the other stream.
    """
    return f"{stream}/{crc32(about.encode('utf-8', 'surrogatepass')) % STREAM_SHARDS}"


def stream_shards(stream: str) -> tuple[str, ...]:
    """Return all shards of a stream."""
    return tuple(f"{stream}/{number}" for number in range(STREAM_SHARDS))
