"""Compares the followed streams with the store, after frames were lost."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import anyio
import anyio.lowlevel

from ...errors import StorageError
from ...wake_up import WakeUp
from ..stores.sharing import SharedStore
from ..threads import Threads
from .bus import SHARDS
from .frames import shard_of

__all__ = ["HEADS_ASKED_MAX", "StoreComparison"]

logger = logging.getLogger("hubbub.journal")

# Streams whose heads one query returns.
HEADS_ASKED_MAX = 1_000
# Names that are looked at before other tasks have their turn.
NAMES_LOOKED_AT_MAX = 5_000
# The pause after a comparison: a bus that loses much must not keep the store busy.
COMPARED_SECONDS = 0.05
# The pause before the next try while the store is away.
RETRY_SECONDS = 0.5


class StoreComparison:
    """
    Finds the followed streams that are behind the store.

    Args:
        store: knows where each stream ends.
        followed: returns the followed streams, and the seq of the last event that this node
            has of each.
        behind: called with a stream and the seq of its last event in the store, if this node
            lacks events.
    """

    def __init__(
        self,
        store: SharedStore,
        followed: Callable[[], Mapping[str, int]],
        behind: Callable[[str, int], None],
    ) -> None:
        self._store = store
        self._followed = followed
        self._behind = behind
        self._marked: set[int] = set()
        self._wake_up = WakeUp()
        self._threads = Threads(1)

    def mark(self, shards: Iterable[int]) -> None:
        """Let the streams of some shards be compared soon."""
        self._marked.update(shards)
        if self._marked:
            self._wake_up.set()

    async def run(self) -> None:
        """Compare whatever is marked, until cancelled."""
        while True:
            await self._wake_up.wait()
            marked, self._marked = self._marked, set()
            try:
                await self._compare(marked)
                await anyio.sleep(COMPARED_SECONDS)
            except StorageError:
                # The health of the store logs its failures.
                await anyio.sleep(RETRY_SECONDS)
                self.mark(marked)

    async def _compare(self, shards: Collection[int]) -> None:
        known = self._followed()
        streams = await _of_shards(list(known), shards)
        for start in range(0, len(streams), HEADS_ASKED_MAX):
            heads = await self._heads(streams[start : start + HEADS_ASKED_MAX])
            for stream, head in heads.items():
                if head > known[stream]:
                    self._tell(stream, head)
            await anyio.lowlevel.checkpoint()

    async def _heads(self, streams: Sequence[str]) -> Mapping[str, int]:
        if self._store.blocking:
            return await self._threads.run(self._store.heads, streams, abandon=True)
        return self._store.heads(streams)

    def _tell(self, stream: str, head: int) -> None:
        try:
            self._behind(stream, head)
        except Exception:
            logger.exception("%s could not catch up with the store", stream)


async def _of_shards(streams: Sequence[str], shards: Collection[int]) -> Sequence[str]:
    if len(shards) == SHARDS:
        return streams
    found: list[str] = []
    for start in range(0, len(streams), NAMES_LOOKED_AT_MAX):
        some = streams[start : start + NAMES_LOOKED_AT_MAX]
        found += [stream for stream in some if shard_of(stream) in shards]
        await anyio.lowlevel.checkpoint()
    return found
