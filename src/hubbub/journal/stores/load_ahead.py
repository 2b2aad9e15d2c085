"""Loads many streams of a SQLite database together: some thousand events with each query."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from . import schema
from .contract import Loaded, Snapshot
from .rows import lines_of

__all__ = ["LoadAhead"]

END_OF_STREAM = b"\x1e"


class LoadAhead:
    """
    Streams that a thread loads one after the other.

    Each query lets other threads run first, and under load waits for them. So there is one query
    for the snapshots of all streams, one for their lengths, and then one for the events of as many
    streams as have some thousand.

    Args:
        streams: their names, in the order in which they will be taken.
        snapshots: reads the snapshots of several streams.
        rows: runs a query.
        events_max: the most events that one query reads.
    """

    def __init__(
        self,
        streams: Sequence[str],
        snapshots: Callable[[Sequence[str]], Mapping[str, Snapshot]],
        rows: Callable[..., list[tuple[Any, ...]]],
        events_max: int,
    ) -> None:
        # A single stream is not worth a query more.
        self._streams = list(streams) if len(streams) > 1 else []
        self._read_snapshots = snapshots
        self._rows = rows
        self._events_max = events_max
        self._snapshots: dict[str, Snapshot] = {}
        # The streams that are not read yet, the last first, and how many events each has.
        self._waiting: list[tuple[str, int]] = []
        self._loaded: dict[str, Loaded] = {}

    def take(self, stream: str) -> Loaded | None:
        """Return a stream, once; None if it has to be loaded alone."""
        try:
            if self._streams:
                self._survey()
            while self._waiting and stream not in self._loaded:
                self._load_some()
        except Exception:  # each is then read by itself, and fails only the calls that need it
            self._waiting.clear()
        return self._loaded.pop(stream, None)

    def _survey(self) -> None:
        streams, self._streams = self._streams, []
        self._snapshots = dict(self._read_snapshots(streams))
        [(heads,)] = self._rows(schema.LAST_SEQS, _encode(streams).decode())
        lengths = [
            int(head) - self._after(name) for name, head in zip(streams, heads.split(), strict=True)
        ]
        known = zip(streams, lengths, strict=True)
        self._waiting = [(name, count) for name, count in known if count <= self._events_max]
        self._waiting.reverse()

    def _load_some(self) -> None:
        streams, room = list[str](), self._events_max
        while self._waiting and self._waiting[-1][1] <= room:
            name, count = self._waiting.pop()
            streams.append(name)
            room -= count
        afters = [(name, self._after(name)) for name in streams]
        [(text,)] = self._rows(schema.TAILS, _encode(afters).decode())
        for name, tail in zip(streams, text.split(END_OF_STREAM), strict=True):
            self._loaded[name] = Loaded(self._snapshots.pop(name, None), lines_of(tail or None))

    def _after(self, stream: str) -> int:
        snapshot = self._snapshots.get(stream)
        return snapshot.seq if snapshot else 0


_encode = msgspec.json.Encoder().encode
