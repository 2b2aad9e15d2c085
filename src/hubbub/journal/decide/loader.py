"""Loads what decisions need into memory, outside the queue of decisions."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import anyio
import anyio.lowlevel

from ...errors import HubbubError, StorageError
from ...wake_up import WakeUp
from ..command import Call, Command, check_key
from ..event import Event, Streams
from ..health import Health
from ..stores.contract import Store, Used
from ..threads import Threads
from .cache_entries import CacheEntry, IdempotencyRecord, MessageEntry, Name, StreamEntry
from .states import States

__all__ = ["Loader"]

# The result of reading a name: an entry, a message's events, or the error.
Thing = CacheEntry | list[Event] | Exception

# Events read at once if no snapshot helps.
PAGE_EVENTS = 5_000
# From this many bytes of events on, the state that they fold into is measured itself.
MEASURED_BYTES_MIN = 16 * 1024
# About how many bytes an event needs in memory.
EVENT_BYTES = 800

logger = logging.getLogger("hubbub.journal")


class Loader:
    """
    Loads for many calls at once, and returns the calls in the order in which they arrived.

    Args:
        store: the store to read.
        states: the cache to fill.
        streams: decode and fold the events.
        health: notified of failures and recoveries.
        hand_on: takes a call when everything it waited for is in memory, or has failed.
        key_chars_max: the longest idempotency key.
    """

    def __init__(  # noqa: PLR0913
        self,
        store: Store,
        states: States,
        streams: Streams,
        health: Health,
        hand_on: Callable[[Call[Any]], None],
        key_chars_max: int,
    ) -> None:
        self._store = store
        self._states = states
        self._streams = streams
        self._health = health
        self._threads = Threads(1)
        self._hand_on = hand_on
        self._key_chars_max = key_chars_max
        self._waiting: deque[tuple[Call[Any], Sequence[Name]]] = deque()
        # The names that are being read.
        self._taken: deque[tuple[Call[Any], Sequence[Name]]] = deque()
        # The number of waiting calls, in both: each command asks for it.
        self.waiting = 0
        self._wake_up = WakeUp()

    @property
    def idle(self) -> bool:
        """True if no call waits."""
        return not self.waiting

    def checked(self, command: Command[Any], missing: Sequence[Name]) -> Sequence[Name]:
        """
        Check what a command names, before anything of it is kept.

        Args:
            command: the command.
            missing: its streams that are not in memory.

        Returns:
            What must be loaded before its decision: the streams, and its key.

        Raises:
            NotFound: one of them cannot be the name of a stream.
            Invalid: a name or the key is too long.
        """
        for name in (*missing, *command.creates):
            self._streams.check_name(name)
        if command.creates:
            missing = [*missing, *self._not_created(command.creates)]
        if (key := command.key) is None:
            return missing
        check_key(key, self._key_chars_max)
        # Where other nodes write, a batch asks the store for it.
        if self._store.shared or not self._states.missing_key(command.by, key):
            return missing
        return [*missing, (command.by, key, "")]

    def _not_created(self, creates: Sequence[str]) -> Sequence[Name]:
        """Create the states of new streams; return the streams that must still be loaded."""
        missing = self._states.missing_of(creates)
        if self._store.shared:
            return missing
        for stream in missing:
            self._states.put(StreamEntry(stream, self._streams.empty(stream)))
        return ()

    def put(self, call: Call[Any], names: Sequence[Name]) -> None:
        """Make a call wait until everything named is in memory."""
        if call.waits:
            # Not wait_on, because the other calls of the batch may still need its event.
            call.wake = anyio.Event()
        self._waiting.append((call, names))
        self.waiting += 1
        self._wake_up.set()

    def withdraw(self, call: Call[Any]) -> None:
        """Withdraw a waiting call."""
        for entries in (self._waiting, self._taken):
            for entry in entries:
                if entry[0] is call:
                    entries.remove(entry)
                    self.waiting -= 1
                    self._states.release(call)
                    if call.queue is not None:
                        call.queue.leave(call.place)
                    return

    def abandon(self, error: HubbubError) -> None:
        """Fail all waiting calls, because the journal closes."""
        for entries in (self._taken, self._waiting):
            while entries:
                call, _ = entries.popleft()
                self.waiting -= 1
                call.error = error
                self._hand_on(call)

    async def run(self) -> None:
        """Load until cancelled."""
        while True:
            await self._wake_up.wait()
            self._taken, self._waiting = self._waiting, deque()
            names = {name for _, names in self._taken for name in names}
            try:
                failed = await self._load(names)
            except Exception as error:
                logger.exception("the streams of waiting calls could not be loaded")
                failed = dict.fromkeys(names, _unreadable(error))
            while self._taken:
                call, wanted = self._taken.popleft()
                self.waiting -= 1
                call.error = next((failed[name] for name in wanted if name in failed), None)
                self._states.pin(call, wanted)
                self._hand_on(call)
            self._states.trim()

    async def _load(self, names: Iterable[Name]) -> dict[Name, Exception]:
        missing = [name for name in names if self._states.missing(name)]
        for name in missing:
            # Collect events about a message that arrive while it is being read.
            if isinstance(name, tuple) and len(name) == 2 and self._states.get(name) is None:
                home = self._states.get(name[0]) if self._store.shared else None
                current = self._streams.kind(name[0]).current
                self._states.put(MessageEntry(name, current, home))
        failed: dict[Name, Exception] = {}
        epoch = self._states.epoch
        things = await self._in_thread(missing)
        self._note(things)
        if epoch != self._states.epoch:
            # An entry that was dropped in the meantime may be outdated: it is read again.
            things = [thing if isinstance(thing, Exception) else None for thing in things]
        for name, thing in zip(missing, things, strict=True):
            if thing is None:
                continue
            if isinstance(thing, Exception):
                failed[name] = thing
            elif isinstance(thing, CacheEntry):
                self._states.put(thing)
            else:
                self._install(name, thing)
        return failed

    async def _in_thread(self, names: Sequence[Name]) -> Sequence[Thing | None]:
        if self._store.blocking:
            return await self._threads.run(self._read_all, names)
        await anyio.lowlevel.checkpoint()
        return self._read_all(names)

    def _note(self, things: Sequence[Thing | None]) -> None:
        errors = [thing for thing in things if isinstance(thing, StorageError)]
        if errors:
            self._health.failure("loading", errors[0])
        elif any(isinstance(thing, (CacheEntry, list)) for thing in things):
            self._health.success("loading")

    def _install(self, name: Name, events: Sequence[Event]) -> None:
        thread = self._states.get(name)
        # It has no event yet: it is being committed, and its call will retry.
        if events and isinstance(thread, MessageEntry):
            thread.install(events)
            self._states.resize(thread, EVENT_BYTES * (1 + len(thread.about)))

    def _read_all(self, names: Sequence[Name]) -> list[Thing]:
        try:
            streams = [name for name in names if isinstance(name, str)]
            with self._store.reading([name for name in streams if self._streams.is_name(name)]):
                return [self._read_or_fail(name) for name in names]
        except Exception as error:  # raised again in each call that needs it
            return [_unreadable(error)] * len(names)

    def _read_or_fail(self, name: Name) -> Thing:
        try:
            return self._read(name)
        except Exception as error:
            # It belongs to the calls that need this name, and to no other.
            return _unreadable(error)

    def _read(self, name: Name) -> CacheEntry | list[Event]:
        if not isinstance(name, tuple):
            return self._read_stream(name)
        if len(name) == 2:
            stream, seq = name
            bodies = self._store.read(stream, seq - 1, 1) + self._store.about(stream, seq, seq)
            return [self._streams.decode(body) for body in bodies]
        assert len(name) == 3, "a rate limit is not in memory"
        used = self._store.used(name[0], name[1])
        return IdempotencyRecord(name) if used is None else self._read_used(name, used)

    def _read_stream(self, stream: str) -> StreamEntry:
        entry = StreamEntry(stream, self._streams.empty(stream))
        loaded = self._store.load(stream)
        bodies, snapshot = loaded.bodies, loaded.snapshot
        del loaded
        if snapshot is not None:
            if self._streams.is_current(stream, snapshot):
                seq, at, size = snapshot.seq, snapshot.at, snapshot.size
                freed = _Freed(snapshot.body, _freed(snapshot.parts))
                del snapshot
                state = self._streams.decode_state(stream, freed)
                entry = StreamEntry(stream, state, seq, at)
                entry.snapshot_bytes = size
            else:
                bodies = self._all(stream)
        for body in bodies:
            entry.take(self._streams.decode(body))
        entry.size += len(stream) + self._size(entry, sum(map(len, bodies)))
        return entry

    def _all(self, stream: str) -> list[bytes]:
        bodies = list[bytes]()
        while page := self._store.read(stream, len(bodies), PAGE_EVENTS):
            bodies += page
        return bodies

    def _size(self, entry: StreamEntry, tail_bytes: int) -> int:
        if tail_bytes < MEASURED_BYTES_MIN:
            return entry.snapshot_bytes + tail_bytes
        # A state may keep little of many events.
        body, parts = self._streams.encode_state(entry.state)
        return len(body) + sum(map(len, parts))

    def _read_used(self, name: tuple[str, str, str], used: Used) -> IdempotencyRecord:
        # The key stays used, even if the feature of its streams is no longer installed.
        places = [place for place in used.places if self._streams.is_name(place[0])]
        bodies = [self._store.read(stream, seq - 1, 1)[0] for stream, seq in places]
        events = tuple(self._streams.decode(body) for body in bodies)
        return IdempotencyRecord(name, used.fingerprint, events)


class _Freed(NamedTuple):
    """A snapshot that is decoded once."""

    body: bytes
    parts: Iterator[bytes]


def _freed(parts: Sequence[bytes]) -> Iterator[bytes]:
    """Give one part after another, and keep none: soon they would be in memory twice."""
    left = list(reversed(parts))
    del parts
    while left:
        yield left.pop()


def _unreadable(error: Exception) -> Exception:
    """Return an error for callers, without the details of a store or a decoder."""
    if isinstance(error, HubbubError):
        return error
    unreadable = StorageError("This stored data cannot be read; run `hubbub verify`.")
    unreadable.__cause__ = error
    return unreadable
