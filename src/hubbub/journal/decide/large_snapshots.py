"""
Writes large snapshots part by part, between the batches.

A snapshot of a state with a million entries has some hundred parts, and takes about a second to
write. No command waits for more than a few of them, and no command fails because of one.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...errors import StorageError
from ..stores.contract import Snapshot
from .writer import Writer

__all__ = ["LARGE_SNAPSHOTS_MAX", "PARTS_TOGETHER_MAX", "LargeSnapshots"]

# A snapshot with more parts is large; the others are written with the events of their batch.
PARTS_TOGETHER_MAX = 1
# Large snapshots that wait; others are taken later. Each keeps the entries of its state in memory.
LARGE_SNAPSHOTS_MAX = 16


class LargeSnapshots:
    """
    The large snapshots that are not written yet: at most one of each stream.

    Args:
        writer: writes them.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        # A stream -> its snapshot, and the number of the part that is written next.
        self._waiting: dict[str, tuple[Snapshot, int]] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def __contains__(self, stream: object) -> bool:
        """Return whether a stream's next snapshot has to wait."""
        return stream in self._waiting or len(self._waiting) >= LARGE_SNAPSHOTS_MAX

    def add(self, snapshots: Iterable[Snapshot]) -> None:
        """Take snapshots of states whose events are durable."""
        for snapshot in snapshots:
            self._waiting[snapshot.stream] = snapshot, len(snapshot.parts)

    async def write_part(self) -> None:
        """
        Write the next part of the first snapshot that waits.

        Raises:
            StorageError: it is not written; the snapshot is dropped, and another will be taken.
        """
        stream, (snapshot, number) = next(iter(self._waiting.items()))
        try:
            await self._writer.keep_part(snapshot, number)
        except StorageError:
            del self._waiting[stream]
            raise
        if number:
            self._waiting[stream] = snapshot, number - 1
        else:
            del self._waiting[stream]
