"""Cached objects that decisions read: a state, a message's thread, an idempotency key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Protocol, cast, runtime_checkable

from ..event import Event, State

__all__ = [
    "ENTRY_BYTES",
    "SNAPSHOT_EVENTS_MIN",
    "CacheEntry",
    "GrowingEvents",
    "IdempotencyRecord",
    "MessageEntry",
    "Name",
    "NotLoaded",
    "StreamEntry",
]

# A stream's name, (stream, seq) of a message, (by, key, "") of a used key, or
# (what, user, "", "") of a rate limit.
Name = str | tuple[str, int] | tuple[str, str, str] | tuple[str, str, str, str]

# After this many events a state is written as a snapshot, or as many as its size.
SNAPSHOT_EVENTS_MIN = 256
# About how many bytes of a snapshot take as long to decode as one event.
SNAPSHOT_EVENT_BYTES = 400
# About how many bytes an entry needs besides its contents.
ENTRY_BYTES = 500


class NotLoaded(Exception):
    """A decision needs something that is not in memory; load it and decide again."""

    def __init__(self, *names: Name) -> None:
        super().__init__(*names)
        self.names = names


class CacheEntry:
    """A cached object, its approximate size, and the number of its pins."""

    __slots__ = ("loaded", "name", "pins", "size")

    def __init__(self, name: Name) -> None:
        self.name = name
        self.pins = 0
        # In bytes; once the entry is in the cache, only the cache changes it.
        self.size = ENTRY_BYTES
        # False while it only collects events until it is loaded.
        self.loaded = True


class StreamEntry(CacheEntry):
    """
    A stream's state, in the cache.

    Args:
        stream: the stream's name.
        state: the fold of its events.
        head: the seq of the last event applied.
        at: the time of that event.
    """

    __slots__ = ("at", "head", "snapshot_bytes", "state", "tail")

    def __init__(
        self, stream: str, state: State, head: int = 0, at: datetime | None = None
    ) -> None:
        super().__init__(stream)
        self.state = state
        self.head = head
        self.at = at
        # Events applied since the newest snapshot, and the size of that snapshot.
        self.tail = 0
        self.snapshot_bytes = 0

    @property
    def stream(self) -> str:
        """The stream's name."""
        assert isinstance(self.name, str)
        return self.name

    def take(self, event: Event) -> None:
        """Apply the stream's next event."""
        assert event.seq == self.head + 1, "seqs have no gaps"
        self.state.apply(event)
        self.head = event.seq
        self.at = event.at
        self.tail += 1

    def wants_snapshot(self) -> bool:
        """Return whether folding from the newest snapshot has become expensive."""
        size = self.snapshot_bytes // SNAPSHOT_EVENT_BYTES
        return self.tail > max(SNAPSHOT_EVENTS_MIN, size)


@runtime_checkable
class GrowingEvents(Protocol):
    """The result of a :meth:`State.current` for which each further event costs the same."""

    def add(self, event: Event) -> Sequence[int]:
        """Add an event; return the seqs of the events that no longer count."""


class MessageEntry(CacheEntry):
    """
    A message's event, and the events about it that still count.

    Events may arrive while it is being loaded.

    Args:
        name: the stream, and the message's seq.
        current: returns the events about it that still count; see :meth:`State.current`.
        home: its stream's entry, whose events it has got since it was made.
    """

    __slots__ = ("_current", "_growing", "_last", "_stale", "events", "home")

    def __init__(
        self,
        name: tuple[str, int],
        current: Callable[[Sequence[Event]], Sequence[Event]] = State.current,
        home: CacheEntry | None = None,
    ) -> None:
        super().__init__(name)
        self.loaded = False
        self.home = home
        # The message's event, and those about it unless they are in another form.
        self.events: list[Event] = []
        self._growing: GrowingEvents | None = None
        # The seq of the newest event that it has got.
        self._last = 0
        self._current = current
        # The store may return them, from before events were superseded.
        self._stale: list[int] = []

    def install(self, stored: Iterable[Event]) -> None:
        """Add the stored events before the events that arrived in the meantime."""
        older = list(stored)
        last = max((event.seq for event in older), default=0)
        self.events = older + [event for event in self.events if event.seq > last]
        self._last = max(self._last, last)
        about = self.events[1:]
        kept = self._current(about)
        if isinstance(kept, GrowingEvents):
            self._growing = kept
            del self.events[1:]
        self._stale = self._let_go(about, kept)
        self.loaded = True

    @property
    def about(self) -> Sequence[Event]:
        """The events about it that still count; nobody else may change them."""
        return self.events[1:] if self._growing is None else cast(Sequence[Event], self._growing)

    def take(self, event: Event) -> Sequence[int]:
        """Add an event about it; return the seqs of events that no longer count."""
        if event.seq <= self._last:
            # The store returned it before the stream's state had it.
            return ()
        self._last = event.seq
        if self._growing is not None:
            gone = self._growing.add(event)
        else:
            self.events.append(event)
            if not self.loaded:
                return ()
            about = self.events[1:]
            gone = self._let_go(about, self._current(about))
        if self._stale:
            gone, self._stale = [*self._stale, *gone], []
        return gone

    def _let_go(self, about: Sequence[Event], kept: Sequence[Event]) -> list[int]:
        if len(kept) == len(about):
            return []
        seqs = {event.seq for event in kept}
        if self._growing is None:
            self.events[1:] = kept
        return [event.seq for event in about if event.seq not in seqs]


class IdempotencyRecord(CacheEntry):
    """A user's idempotency key: the digest and the events of its first use, or none yet."""

    __slots__ = ("events", "fingerprint")

    def __init__(
        self, name: tuple[str, str, str], fingerprint: bytes = b"", events: tuple[Event, ...] = ()
    ) -> None:
        super().__init__(name)
        self.fingerprint = fingerprint
        self.events = events
