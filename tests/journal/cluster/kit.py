"""Nodes of a cluster without a server, in virtual time."""

from __future__ import annotations

from collections.abc import Sequence

from hubbub.errors import StorageError
from hubbub.journal.cluster.nodes import Nodes
from hubbub.journal.stores.memory import MemoryStore
from hubbub.journal.stores.sharing import NodeRecord
from hubbub.testing import VirtualClock

__all__ = ["SharedRecords", "node"]


class SharedRecords(MemoryStore):
    """What nodes and relays use of a shared store: beats, and the heads of streams."""

    shared = True

    def __init__(self) -> None:
        super().__init__()
        self.heads_of: dict[str, int] = {}
        self.asked: list[int] = []
        self.away = False
        self._beats: dict[str, tuple[str, str, float, bool]] = {}
        self._clock = VirtualClock()

    def beat(self, node: str, name: str, version: str, *, leaving: bool) -> list[NodeRecord]:
        self._reach()
        now = self._clock.monotonic()
        self._beats[node] = (name, version, now, leaving)
        return [
            NodeRecord(id_, called, release, now - seen, going)
            for id_, (called, release, seen, going) in self._beats.items()
        ]

    def heads(self, streams: Sequence[str]) -> dict[str, int]:
        self._reach()
        self.asked.append(len(streams))
        return {stream: self.heads_of[stream] for stream in streams if stream in self.heads_of}

    def _reach(self) -> None:
        if self.away:
            raise StorageError("The database is away.")


def node(name: str, store: MemoryStore) -> Nodes:
    return Nodes(name, store, VirtualClock())
