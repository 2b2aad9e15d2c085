"""A store that keeps everything in memory until it is closed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from heapq import nsmallest
from itertools import islice
from random import Random, SystemRandom
from threading import Lock

import msgspec

from ...clock import Clock, SystemClock
from ...words import words as terms_of
from .contract import (
    Batch,
    Loaded,
    PlacedEvent,
    Record,
    Snapshot,
    Stale,
    Used,
    new_journal_id,
    new_secret,
)
from .memory_holds import Locks, MemoryHold
from .sharing import NEWS_EVENTS_MAX, News, NodeRecord, Wanted

__all__ = ["MemoryStore"]

# A node that was silent for this long is not listed any more.
FORGET_NODES_SECONDS = 3600.0
# Rate limits that are remembered.
CHARGED_MAX = 100_000
# Used keys that are removed at once.
EXPIRED_MAX = 2_000


class _Text(msgspec.Struct):
    text: str = ""


_decode_text = msgspec.json.Decoder(_Text).decode


class _Texts:
    """The terms of a stream's texts, made by the first search and in its thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._read = 0
        self._texts: list[tuple[int, str]] = []

    def of(self, records: Sequence[Record]) -> list[tuple[int, str]]:
        """Return the event that each text is about, and its terms, with a space before each."""
        with self._lock:
            for record in records[self._read :]:
                self._read += 1
                if text := _decode_text(record.body).text:
                    terms = dict.fromkeys(terms_of(text))
                    self._texts.append((record.ref or record.seq, " " + " ".join(terms)))
        return self._texts


class MemoryStore:
    """
    Stores a stream as a list of records, with a list of the events about each seq.

    Args:
        random: where the journal's id and secret come from; by default the operating system.
        shared: True if several hubs of this process use it as the nodes of one cluster.
        clock: gives the time of all nodes if it is shared; by default the system's clock.
    """

    blocking = False

    def __init__(
        self, random: Random | None = None, *, shared: bool = False, clock: Clock | None = None
    ) -> None:
        random = random or SystemRandom()
        self.shared = shared
        self._clock = clock or SystemClock()
        self._locks = Locks(self._clock.monotonic)
        self._limits: dict[tuple[str, str], bytes] = {}
        # When each node gave its last beat.
        self._nodes: dict[str, tuple[float, NodeRecord]] = {}
        self.journal_id = new_journal_id(random)
        self.secret = new_secret(random)
        self._streams: dict[str, list[Record]] = {}
        # All records, in the order of commits.
        self._committed: list[Record] = []
        self._about: dict[str, dict[int, list[Record]]] = {}
        # The seqs that an event of the type "deleted" is about.
        self._deleted: dict[str, set[int]] = {}
        self._texts: dict[str, _Texts] = {}
        self._used: dict[tuple[str, str], Used] = {}
        self._snapshots: dict[str, Snapshot] = {}

    def commit(self, batch: Batch) -> None:
        """Append a batch."""
        # Everything that can fail comes before the first record is stored.
        self._check(batch.records)
        for record in batch.records:
            records = self._streams.setdefault(record.stream, [])
            records.append(record)
            if record.ref is not None:
                about = self._about.setdefault(record.stream, {})
                about.setdefault(record.ref, []).append(record)
                if record.type == "deleted":
                    self._deleted.setdefault(record.stream, set()).add(record.ref)
        self._committed += batch.records
        for stream, seq in batch.superseded:
            ref = self._streams[stream][seq - 1].ref
            if ref is not None:
                about = self._about[stream]
                about[ref] = [record for record in about[ref] if record.seq != seq]
        for used in batch.used:
            self._used[used.by, used.key] = used
        for snapshot in batch.snapshots:
            self._keep(snapshot)
        self._charge(batch.limits)

    def keep_part(self, snapshot: Snapshot, number: int) -> None:
        """Keep a snapshot with its last part: nothing outlives this process anyway."""
        if not number:
            self.keep([snapshot])

    # For several nodes; see SharedStore

    def hold(self, wanted: Wanted) -> MemoryHold:
        """Take the locks; it never waits for another node."""
        locks = (*wanted.streams, *wanted.limits, *wanted.keys)
        hold = self._locks.take(locks, self._commit_held)
        hold.news = self.news(wanted)
        return hold

    def news(self, wanted: Wanted) -> News:
        """Return what others have written."""
        known = {**wanted.looks, **wanted.streams}
        bodies = {
            stream: self.read(stream, head, NEWS_EVENTS_MAX)
            for stream, head in known.items()
            if len(self._records(stream)) > head
        }
        used = {name: self._used[name] for name in wanted.keys if name in self._used}
        limits = {name: self._limits[name] for name in wanted.limits if name in self._limits}
        return News(self._clock.now(), bodies, used, limits)

    def heads(self, streams: Sequence[str]) -> dict[str, int]:
        """Return the seq of each stream's last event."""
        return {name: len(self._streams[name]) for name in streams if name in self._streams}

    def keep(self, snapshots: Sequence[Snapshot]) -> None:
        """Keep snapshots that are newer than those there are."""
        for snapshot in snapshots:
            before = self._snapshots.get(snapshot.stream)
            if before is None or before.seq < snapshot.seq:
                self._keep(snapshot)

    def beat(self, node: str, name: str, version: str, *, leaving: bool) -> list[NodeRecord]:
        """Note that a node lives, and return all nodes."""
        now = self._clock.monotonic()
        self._nodes[node] = now, NodeRecord(node, name, version, 0.0, leaving)
        nodes = [
            msgspec.structs.replace(known, silent=now - beaten)
            for beaten, known in self._nodes.values()
        ]
        for known in nodes:
            if known.silent > FORGET_NODES_SECONDS:
                del self._nodes[known.id]
        return nodes

    def _commit_held(self, batch: Batch) -> None:
        if any((used.by, used.key) in self._used for used in batch.used):
            raise Stale
        self.commit(msgspec.structs.replace(batch, snapshots=[]))

    def _charge(self, limits: Mapping[tuple[str, str], bytes]) -> None:
        for name, state in limits.items():
            self._limits.pop(name, None)
            self._limits[name] = state
        while len(self._limits) > CHARGED_MAX:
            # The limit that was charged longest ago.
            del self._limits[next(iter(self._limits))]

    def _keep(self, snapshot: Snapshot) -> None:
        whole = msgspec.structs.replace(snapshot, parts=tuple(snapshot.parts))
        self._snapshots[snapshot.stream] = whole

    # Reading

    def reading(self, streams: Sequence[str] = ()) -> AbstractContextManager[None]:
        """Do nothing: there is no transaction to save here."""
        return nullcontext()

    def load(self, stream: str) -> Loaded:
        """Return the events that a stream's state is folded from."""
        snapshot = self._snapshots.get(stream)
        after = snapshot.seq if snapshot else 0
        return Loaded(snapshot, [record.body for record in self._records(stream)[after:]])

    def read(self, stream: str, after: int, limit: int) -> list[bytes]:
        """Return up to ``limit`` events after a seq, in order."""
        return [record.body for record in self._records(stream)[after : after + limit]]

    def about(self, stream: str, first: int, last: int) -> list[bytes]:
        """Return the events whose ref is within ``first`` to ``last``, in order."""
        about = self._about.get(stream, {})
        found = [record for seq in range(first, last + 1) for record in about.get(seq, ())]
        return [record.body for record in sorted(found, key=lambda record: record.seq)]

    def taken_back(self, stream: str, after: int, last: int) -> list[int]:
        """Return the seqs of deleted events; see the contract."""
        deleted = self._deleted.get(stream)
        if not deleted:
            return []
        records = self._records(stream)[after:last]
        return [r.seq for r in records if _about(r) in deleted]

    def page(
        self, stream: str, kind: str, after: int | None, before: int | None, limit: int
    ) -> list[bytes]:
        """Return a page of events of one type, in order; see the contract."""
        records = self._records(stream)
        last = len(records) if before is None else min(before - 1, len(records))
        window = range(after or 0, last)
        forward = before is None and after is not None
        wanted = (
            records[index].body
            for index in (window if forward else reversed(window))
            if records[index].type == kind
        )
        found = list(islice(wanted, limit))
        return found if forward else found[::-1]

    def count(self, stream: str, kind: str, after: int, not_by: str, limit: int) -> int:
        """Count events of one type after a seq by other users, up to ``limit``."""
        count, deleted = 0, self._deleted.get(stream, ())
        for record in self._records(stream)[after:]:
            count += record.type == kind and record.by != not_by and record.seq not in deleted
            if count == limit:
                break
        return count

    def used(self, by: str, key: str) -> Used | None:
        """Return the record of a user's key."""
        return self._used.get((by, key))

    def search(self, stream: str, words: Sequence[str], before: int, limit: int) -> list[int]:
        """Scan the texts; see the contract."""
        records = self._records(stream)
        if not records:
            return []
        starts = [f" {word}" for word in words]
        found = {
            about
            for about, terms in self._texts.setdefault(stream, _Texts()).of(records)
            if about < before and all(start in terms for start in starts)
        }
        return sorted(found, reverse=True)[:limit]

    def catch_up(self) -> bool:
        """Do nothing: no work is ever deferred."""
        return False

    def expire(self, before: int) -> bool:
        """Remove some expired keys; the first are the oldest."""
        old = [name for name, used in islice(self._used.items(), EXPIRED_MAX) if used.at < before]
        for name in old:
            del self._used[name]
        return len(old) == EXPIRED_MAX

    def check(self) -> None:
        """Do nothing: memory has no temporary failures."""

    def streams(self) -> Iterator[tuple[str, int]]:
        """Yield each stream's name and its number of events."""
        for stream in sorted(self._streams):
            yield stream, len(self._streams[stream])

    def names(self, after: str, before: str, limit: int) -> list[str]:
        """Return up to ``limit`` names of streams between two, both exclusive, in order."""
        return nsmallest(limit, (name for name in self._streams if after < name < before))

    def records(self, stream: str, after: int, limit: int) -> list[Record]:
        """Return up to ``limit`` events after a seq, in order, with their columns."""
        return self._records(stream)[after : after + limit]

    def committed(self, after: int, limit: int) -> list[PlacedEvent]:
        """Return up to ``limit`` events of all streams after a place, in the order of commits."""
        found = self._committed[after : after + limit]
        return [
            PlacedEvent(place, r.body, _about(r) in self._deleted.get(r.stream, ()))
            for place, r in enumerate(found, after + 1)
        ]

    def last_place(self) -> int:
        """Return the place of the newest event; 0 if there is none."""
        return len(self._committed)

    def snapshots(self, after: str, limit: int) -> list[Snapshot]:
        """Return up to ``limit`` snapshots of the streams after a name, in the names' order."""
        names = sorted(stream for stream in self._snapshots if stream > after)
        return [self._snapshots[stream] for stream in names[:limit]]

    def keys(self, after: tuple[str, str], limit: int) -> list[Used]:
        """Return up to ``limit`` used keys after a user's key, in order."""
        names = sorted(name for name in self._used if name > after)
        return [self._used[name] for name in names[:limit]]

    def adopt(self, journal_id: str, secret: str) -> None:
        """Be the journal of this id from now on, and sign tokens with its secret."""
        self.journal_id, self.secret = journal_id, secret

    def close(self) -> None:
        """Keep everything: readers may still use it."""

    def _check(self, records: Sequence[Record]) -> None:
        heads: dict[str, int] = {}
        for record in records:
            head = heads.get(record.stream)
            if head is None:
                head = len(self._streams.get(record.stream, ()))
            if record.seq != head + 1:
                raise Stale
            heads[record.stream] = record.seq

    def _records(self, stream: str) -> list[Record]:
        return self._streams.get(stream, [])


def _about(record: Record) -> int:
    return record.seq if record.ref is None else record.ref
