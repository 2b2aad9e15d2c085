"""
The cache that decisions read: folded states, and anything else that they need. It is bounded.

It holds three kinds of entry: a stream's state, a message with the events about it (a thread),
and an idempotency key. An entry that a call or an unfinished commit needs is pinned; of the
others the least recently used are evicted first. Keys have a limit of their own, so that they do
not evict states. A stream that is not here has no uncommitted events, so loading it meets
no race.

Where other nodes write to the store too, an entry may be outdated. A decision then reads only
what its batch holds, which is the newest state; anything else counts as not in memory.

The size of an entry is measured when it is loaded, or when a snapshot is taken; its growth
since then is not counted, because that would cost time for each event.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Protocol, TypeVar

from ...clock import plain
from ...errors import NotFound
from ...ratelimit import RateLimit
from ...shown import shown
from ..event import Event, State
from .cache_entries import (
    ENTRY_BYTES,
    CacheEntry,
    IdempotencyRecord,
    MessageEntry,
    Name,
    NotLoaded,
    StreamEntry,
)
from .known_keys import KnownKeys
from .limits import Limits

__all__ = ["EMPTY_STATES_MAX", "USED_KEYS_MAX", "States"]

StateT = TypeVar("StateT", bound=State)

# Idempotency keys in memory; others are read when they are used again.
USED_KEYS_MAX = 1_000
# States of streams without events that no call needs.
EMPTY_STATES_MAX = 1_000


class Pinning(Protocol):
    """Keeps entries in memory as long as it needs them: a call."""

    pins: dict[Name, CacheEntry]


class States:
    """
    The cache, as one decision sees it.

    Args:
        size_max: the number of unpinned entries.
        new_limit: makes a rate limit for a name.
        bytes_max: about how many bytes they can take.
    """

    def __init__(
        self, size_max: int, new_limit: Callable[[str], RateLimit], bytes_max: int = 1 << 28
    ) -> None:
        self._size_max = size_max
        self._bytes_max = bytes_max
        self.limits = Limits(new_limit)
        # Which keys the store may have.
        self.known_keys = KnownKeys()
        self._entries: OrderedDict[Name, CacheEntry] = OrderedDict()
        self._used: OrderedDict[Name, CacheEntry] = OrderedDict()
        # Streams that had no event when they were loaded, the first first.
        self._empty: OrderedDict[Name, None] = OrderedDict()
        self._bytes = 0
        self._call: Pinning | None = None
        # The streams and keys that the batch holds, and the streams that it only looks at; None
        # if no other node writes to the store.
        self._held: AbstractSet[Name] | None = None
        self._looks: AbstractSet[str] = frozenset()
        # Those of them that the current call may read.
        self._may_look: Collection[str] = ()
        # Increases whenever an entry is dropped: an entry that was being loaded may be outdated.
        self.epoch = 0
        self.now: datetime

    # For decisions

    def of(self, kind: type[StateT], stream: str) -> StateT:
        """
        Return a stream's state, which is empty before the first event.

        Raises:
            NotLoaded: decide again when it is in memory.
        """
        state = self.entry(stream).state
        if not isinstance(state, kind):
            raise NotFound(f"{shown(stream)} is not a stream of this kind.")
        return state

    def need(self, streams: Iterable[str]) -> None:
        """
        Require several streams in memory, so that they are loaded together.

        Raises:
            NotLoaded: decide again when all of them are.
        """
        if self._held is None:
            missing = self.missing_of(streams)
        else:
            missing = [name for name in streams if self.missing(name) or self._outdated(name)]
        if missing:
            raise NotLoaded(*missing)

    def event(self, stream: str, seq: int) -> Event:
        """
        Return an event.

        Raises:
            NotFound: the stream does not have this seq.
            NotLoaded: decide again when it is in memory.
        """
        if not 1 <= seq <= self.entry(stream).head:
            raise NotFound(f"There is no event {seq} in this stream.")
        return self.thread(stream, seq).events[0]

    def about(self, stream: str, seq: int) -> Sequence[Event]:
        """
        Return the events whose ref is a seq, and which still count, as they are now.

        Raises:
            NotFound: the stream has no such seq.
            NotLoaded: decide again when it is in memory.
        """
        self.event(stream, seq)
        return self.thread(stream, seq).about

    def charge(self, what: str, *users: str) -> None:
        """
        Count one use against a user's rate limit, or against those of several, or of none.

        A decision must do this last, when everything that it reads or writes is in memory:
        deciding again would charge again.

        Raises:
            RateLimited: the limit is reached; nothing was counted.
        """
        self.limits.charge(what, users)

    def need_limits(self, what: str, users: Iterable[str]) -> None:
        """
        Require the limits of several users, so that they are held together.

        Raises:
            NotLoaded: decide again when all of them are.
        """
        self.limits.need([(what, user) for user in users])

    # For the committer and the loader

    def set_time(self, now: datetime, monotonic: float) -> None:
        """Tell the decisions of a batch what the time is, by the store and by this node."""
        self.now = plain(now)
        self.limits.monotonic, self.limits.wall = monotonic, now.timestamp()

    def hold(self, held: AbstractSet[Name], looks: AbstractSet[str]) -> None:
        """
        Let the decisions of a batch read only what is the newest state.

        Args:
            held: the streams and the keys that nobody else can write to now.
            looks: the streams that are read at the same moment, for calls that write nothing.
        """
        self._held, self._looks = held, looks

    def bind(self, call: Pinning, may_look: Collection[str] | None = ()) -> None:
        """
        Pin everything that is touched from now on for a call.

        Args:
            call: the call.
            may_look: the streams that it may read though the batch only looks at them; None
                for all.
        """
        self._call = call
        if self._held is not None:
            self._may_look = self._looks if may_look is None else may_look
            self.limits.begin_call()

    def entry(self, stream: str) -> StreamEntry:
        """
        Return a stream's entry, pinned for the current call.

        Raises:
            NotLoaded: decide again when it is in memory.
        """
        if self._held is not None and self._outdated(stream):
            raise NotLoaded(stream)
        found = self._entries.get(stream)
        assert self._call is not None
        if found is None or self._call.pins.get(stream) is not found:
            found = self._pinned(stream, self._entries)
        assert isinstance(found, StreamEntry)
        return found

    def used(self, by: str, key: str) -> IdempotencyRecord:
        """
        Return a key's entry, pinned for the current call.

        Raises:
            NotLoaded: decide again when it is in memory.
        """
        name = (by, key, "")
        if self._held is not None and name not in self._held:
            raise NotLoaded(name)
        if name not in self._used and self.known_keys.is_new(by, key):
            self._used[name] = IdempotencyRecord(name)
            self._bytes += ENTRY_BYTES
        found = self._pinned(name, self._used)
        assert isinstance(found, IdempotencyRecord)
        return found

    def thread(self, stream: str, seq: int) -> MessageEntry:
        """
        Return an event and the events about it, pinned for the current call.

        Raises:
            NotLoaded: decide again when they are in memory.
        """
        if self._held is not None:
            self._check_thread(stream, seq)
        found = self._pinned((stream, seq), self._entries)
        assert isinstance(found, MessageEntry)
        return found

    def applied(self, event: Event) -> Sequence[int]:
        """
        Add an event to the thread that it belongs to, if that is in memory.

        Returns:
            The seqs of the events in the thread that no longer count.
        """
        if event.ref is not None:
            thread = self._entries.get((event.stream, event.ref))
            if isinstance(thread, MessageEntry):
                return thread.take(event)
        return ()

    def get(self, name: Name) -> CacheEntry | None:
        """Return an entry if it is in memory, or None."""
        return self._of(name).get(name)

    def put(self, entry: CacheEntry) -> None:
        """Add an entry."""
        name, entries = entry.name, self._of(entry.name)
        if (before := entries.get(name)) is not None:
            self._bytes -= before.size
        entries[name] = entry
        self._bytes += entry.size
        if isinstance(entry, StreamEntry) and not entry.head:
            self._empty[name] = None

    def resize(self, entry: CacheEntry, size: int) -> None:
        """Record the size of an entry's contents, in bytes."""
        self._bytes += ENTRY_BYTES + size - entry.size
        entry.size = ENTRY_BYTES + size

    def trim(self) -> None:
        """Evict the least recently used entries if there are too many, or they are too large."""
        self._trim(self._used, len(self._used) - USED_KEYS_MAX)
        self._trim(self._entries, len(self._entries) - self._size_max)
        for _ in range(len(self._empty) - EMPTY_STATES_MAX):
            name, _ = self._empty.popitem(last=False)
            entry = self._entries.get(name)
            if not isinstance(entry, StreamEntry) or entry.head:
                continue
            if entry.pins:
                self._empty[name] = None
            else:
                self._drop(name)
        while self._bytes > self._bytes_max and self._trim(self._entries, 16):
            pass

    def _trim(self, entries: OrderedDict[Name, CacheEntry], excess: int) -> bool:
        """Evict a number of unpinned entries; return False if there are none."""
        if excess <= 0:
            return False
        names = [c.name for c in _first(entries, excess + 16) if not c.pins][:excess]
        for name in names:
            self._bytes -= entries.pop(name).size
            self._empty.pop(name, None)
        return bool(names)

    def _drop(self, name: Name) -> None:
        if (entry := self._of(name).pop(name, None)) is not None:
            self._bytes -= entry.size
            self._empty.pop(name, None)

    def _of(self, name: Name) -> OrderedDict[Name, CacheEntry]:
        return self._used if isinstance(name, tuple) and len(name) == 3 else self._entries

    def pin(self, call: Pinning, names: Iterable[Name]) -> None:
        """Pin what a call waited for until it is done; otherwise it might wait without end."""
        for name in names:
            if (entry := self.get(name)) is not None and call.pins.get(name) is not entry:
                entry.pins += 1
                call.pins[name] = entry

    def release(self, call: Pinning) -> None:
        """Unpin what a call needed."""
        for entry in call.pins.values():
            entry.pins -= 1
        call.pins.clear()
        if self._call is call:
            # Otherwise the last call would keep its connection in memory until the next call.
            self._call = None

    def missing_of(self, reads: Iterable[str], looks: Iterable[str] = ()) -> Sequence[str]:
        """Return which streams must be loaded before a decision can read them."""
        entries, missing = self._entries, list[str]()
        for streams in (reads, looks) if looks else (reads,):
            for stream in streams:
                entry = entries.get(stream)
                if entry is None or not entry.loaded:
                    missing.append(stream)
        return missing

    def missing(self, name: Name) -> bool:
        """Return whether a name must be loaded before a decision can read it."""
        entry = self._of(name).get(name)
        return entry is None or not entry.loaded

    def missing_key(self, by: str, key: str) -> bool:
        """Return whether a key must be loaded before a decision can use it."""
        return (by, key, "") not in self._used and not self.known_keys.is_new(by, key)

    def forget(self, entries: Iterable[CacheEntry]) -> None:
        """Drop entries whose events did not reach the store, with their threads."""
        self.epoch += 1
        gone = {entry.name for entry in entries}
        for name in [
            n for n in self._entries if n in gone or (isinstance(n, tuple) and n[0] in gone)
        ]:
            self._drop(name)
        for name in gone:
            self._drop(name)

    def forget_key(self, name: tuple[str, str, str]) -> None:
        """Drop what is known of a key."""
        self._drop(name)

    def _outdated(self, stream: str) -> bool:
        """Return whether other nodes may have written to a stream."""
        if self._held is None or stream in self._held:
            return False
        return stream not in self._looks or stream not in self._may_look

    def _check_thread(self, stream: str, seq: int) -> None:
        if self._outdated(stream):
            raise NotLoaded(stream)
        thread, home = self._entries.get((stream, seq)), self._entries.get(stream)
        if isinstance(thread, MessageEntry) and thread.home is not home:
            # It has missed what others wrote while its stream was not in memory.
            self._drop((stream, seq))

    def _pinned(self, name: Name, entries: OrderedDict[Name, CacheEntry]) -> CacheEntry:
        entry = entries.get(name)
        if entry is None or not entry.loaded:
            raise NotLoaded(name)
        entries.move_to_end(name)
        assert self._call is not None
        pins = self._call.pins
        # Another entry of this name was dropped from the cache in the meantime.
        if pins.get(name) is not entry:
            entry.pins += 1
            pins[name] = entry
        return entry


def _first(entries: OrderedDict[Name, CacheEntry], count: int) -> list[CacheEntry]:
    found = []
    for entry in entries.values():
        found.append(entry)
        if len(found) == count:
            break
    return found
