"""
Decides a call: its events, and its caller's result.

Everything that can fail comes before any effect on the batch: a decision whose events do not
fold, or whose result cannot be made, leaves nothing in the batch. Its changes to states in
memory cannot be undone, so these states are *spoilt*: the batch ends before the next decision,
and they are dropped once the earlier calls are durable.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

from ...errors import KeyReused
from ..command import Call, nothing
from ..event import Draft, Event, Streams, encode_event, tag_of
from ..stores.contract import Batch, Record, Snapshot, Used
from .cache_entries import CacheEntry, IdempotencyRecord, NotLoaded, StreamEntry
from .large_snapshots import PARTS_TOGETHER_MAX
from .states import States

__all__ = ["FAULT", "Decided", "Decider"]

# The message for callers whose batch has failed for a reason that the store has not given.
FAULT = "The server failed while it wrote this command; check whether it was written."


class Decided:
    """A batch between its decisions and its commit."""

    __slots__ = ("batch", "calls", "entries", "events", "large", "spoilt")

    def __init__(self) -> None:
        self.batch = Batch()
        # Snapshots that are too large to be written in its transaction.
        self.large: list[Snapshot] = []
        self.calls: list[Call[Any]] = []
        self.entries: set[CacheEntry] = set()
        self.events: list[Event] = []
        # States in memory that have had events that are not in the batch.
        self.spoilt: set[CacheEntry] = set()

    def take_snapshots(
        self, streams: Streams, states: States, waiting: Container[str] = ()
    ) -> None:
        """
        Take snapshots of the states with many events since the last snapshot.

        Args:
            streams: encode the states.
            states: the cache, which learns their size.
            waiting: the streams whose next snapshot has to wait for others.
        """
        for entry in self.entries - self.spoilt if self.spoilt else self.entries:
            if not isinstance(entry, StreamEntry) or not entry.wants_snapshot():
                continue
            if entry.stream not in waiting:
                body, parts = streams.encode_state(entry.state)
                # All parts have the same size, except the last.
                size = len(body) + (len(parts) * len(parts[0]) if parts else 0)
                entry.tail, entry.snapshot_bytes = 0, size
                states.resize(entry, size)
                assert entry.at is not None
                snapshot = Snapshot(entry.stream, entry.head, entry.at, body, parts)
                large = len(parts) > PARTS_TOGETHER_MAX
                (self.large if large else self.batch.snapshots).append(snapshot)


class Decider:
    """
    Runs decisions against the states.

    Args:
        states: the cache of states; their events are applied to it.
    """

    def __init__(self, states: States) -> None:
        self._states = states

    def decide(self, call: Call[Any], decided: Decided) -> None:
        """
        Decide a call into a batch.

        Raises:
            NotLoaded: no effect; decide again when it is in memory.
            Exception: a refusal, or a bug; nothing of the call is in the batch.
        """
        command, states = call.command, self._states
        # A call that writes nothing may read streams that the batch only looks at.
        states.bind(call, None if command.decide is nothing else command.looks)
        used: IdempotencyRecord | None = None
        fingerprint = b""
        if command.key is not None:
            used = states.used(command.by, command.key)
            # Digest before anything is applied, because arguments may be invalid JSON.
            fingerprint = command.fingerprint()
            if used.fingerprint:
                if used.fingerprint != fingerprint:
                    raise KeyReused(
                        f"The key {command.key!r} was used for another command; use a new key."
                    )
                call.value = command.result(states, used.events)
                return
        drafts = command.decide(states)
        if not drafts:
            call.value = command.result(states, ())
            return
        events = self._write(call, drafts, decided)
        if used is not None:
            assert command.key is not None
            used.fingerprint, used.events = fingerprint, tuple(events)
            states.known_keys.add(command.by, command.key)
            places = tuple([(event.stream, event.seq) for event in events])
            at = int(states.now.timestamp())
            decided.batch.used.append(Used(command.by, command.key, fingerprint, places, at))
            decided.entries.add(used)

    def _write(self, call: Call[Any], drafts: Sequence[Draft], decided: Decided) -> Sequence[Event]:
        command, states = call.command, self._states
        # Not list[Event](), which costs as much as everything else here.
        entries: list[StreamEntry] = []
        events: list[Event] = []
        records: list[Record] = []
        superseded: list[tuple[str, int]] = []
        heads: dict[str, int] = {}
        now = states.now
        for draft in drafts:
            stream, ref, data = draft.stream, draft.ref, draft.data
            entries.append(entry := states.entry(stream))
            if ref is not None:
                states.thread(stream, ref)
            seq = heads[stream] = heads.get(stream, entry.head) + 1
            at = now if entry.at is None or entry.at < now else entry.at
            by = draft.by or command.by
            event = Event(stream, seq, at, by, ref, data)
            events.append(event)
            records.append(Record(stream, seq, tag_of(type(data)), by, ref, encode_event(event)))
        try:
            for event, entry in zip(events, entries, strict=True):
                entry.take(event)
                if event.ref is not None and (gone := states.applied(event)):
                    superseded += [(event.stream, seq) for seq in gone]
            call.value = command.result(states, events)
        except NotLoaded as missing:
            decided.spoilt.update(entries)
            # Deciding again would apply its events twice.
            raise AssertionError(
                "a result needs a stream that its decision did not read"
            ) from missing
        except Exception:
            decided.spoilt.update(entries)
            raise
        decided.entries.update(entries)
        decided.events += events
        decided.batch.records += records
        decided.batch.superseded += superseded
        return events
