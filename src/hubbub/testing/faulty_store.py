"""A store that fails as disks do: by the number of the call, or as a seed draws."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from random import Random
from threading import Lock
from typing import Literal, TypeAlias, TypeVar, cast

import apsw
import msgspec

from ..errors import StorageError
from ..journal.stores.failures import failure_of
from ..stores import (
    Batch,
    Hold,
    Loaded,
    News,
    NodeRecord,
    PlacedEvent,
    Record,
    SharedStore,
    Snapshot,
    Store,
    Used,
    Wanted,
)
from .simulation.run import in_simulation

__all__ = ["FaultPlan", "FaultyStore", "InjectedFault", "StoreFault", "drawn_faults"]

T = TypeVar("T")

Kind = Literal["error", "full", "delay", "crash_before", "crash_after"]


class StoreFault(msgspec.Struct, frozen=True):
    """
    A fault of one call.

    Args:
        kind: ``error``: the call fails and does nothing. ``full``: so it does, and so do all
            commits until :meth:`FaultyStore.free`. ``delay``: the call takes longer.
            ``crash_before`` and ``crash_after``: the process dies right before or right after
            the call has done its work; nobody sees its result, and every later call fails.
        seconds: of a delay, in real time. In a simulation a delay is only noted, because
            there a thread takes the time that the seed draws.
    """

    kind: Kind
    seconds: float = 0.0


class InjectedFault(msgspec.Struct, frozen=True):
    """A fault that happened, and the call: the 3rd ``commit``, for example."""

    operation: str
    number: int
    fault: StoreFault

    def __str__(self) -> str:
        seconds = f" of {self.fault.seconds:g} s" if self.fault.kind == "delay" else ""
        return f"{self.operation} {self.number}: {self.fault.kind}{seconds}"


FaultPlan: TypeAlias = Mapping[int, StoreFault] | Callable[[str, int], StoreFault | None]


def drawn_faults(  # noqa: PLR0913  (each is a chance of its own)
    random: Random,
    *,
    errors: float = 0.0,
    full: float = 0.0,
    delays: float = 0.0,
    delay_seconds_max: float = 0.05,
    crashes: float = 0.0,
) -> FaultPlan:
    """
    Make a plan that draws what goes wrong with each call.

    Args:
        random: a seeded generator: the same seed and the same calls, the same faults.
        errors: the share of all calls that fail.
        full: the share of commits that find the disk full.
        delays: the share of all calls that take longer.
        delay_seconds_max: how much longer at most.
        crashes: the share of commits before or after which the process dies.
    """

    def plan(operation: str, _number: int) -> StoreFault | None:
        # Always as many draws, so that a share changes nothing but its own faults.
        chances = [random.random() for _ in range(4)]
        seconds, before = random.uniform(0, delay_seconds_max), random.random() < 0.5
        commits = operation == "commit"
        if commits and chances[0] < crashes:
            return StoreFault("crash_before" if before else "crash_after")
        if commits and chances[1] < full:
            return StoreFault("full")
        if chances[2] < errors:
            return StoreFault("error")
        return StoreFault("delay", seconds) if chances[3] < delays else None

    return plan


class FaultyStore:
    """
    Wraps a store: ``hubbub.open(store=FaultyStore(MemoryStore(), {3: StoreFault("error")}))``.

    After a crash, open another hub on the wrapped store, as a restarted process would.

    Args:
        store: the store that does the work.
        plan: the faults by the number of the commit, from 1; or a function of the name of a
            method of :class:`hubbub.stores.Store` and of how often that was called, like the one
            that :func:`drawn_faults` makes. It is called by one thread at a time.

    Raises:
        StorageError: on any call, as the plan says, or because the store has crashed.
    """

    # So that a call runs in a worker thread, which may take its time.
    blocking = True

    def __init__(self, store: Store, plan: FaultPlan) -> None:
        self.store = store
        self.journal_id = store.journal_id
        self.secret = store.secret
        self.shared = store.shared
        self.faults: list[InjectedFault] = []
        self._plan = _by_commit(plan) if isinstance(plan, Mapping) else plan
        self._calls: Counter[str] = Counter()
        self._lock = Lock()
        self._full = False
        self._crashed = False

    @property
    def crashed(self) -> bool:
        """True after a crash: every call fails."""
        return self._crashed

    def crash(self) -> None:
        """Let the process die now: every later call fails."""
        self._crashed = True

    def free(self) -> None:
        """Make room on the full disk."""
        self._full = False

    def commit(self, batch: Batch) -> None:
        """Write a batch; see :class:`Store`."""
        self._call("commit", lambda: self.store.commit(batch))

    def reading(self, streams: Sequence[str] = ()) -> AbstractContextManager[None]:
        """Begin a transaction of reads; see :class:`Store`."""
        return self._call("reading", lambda: self.store.reading(streams))

    def load(self, stream: str) -> Loaded:
        """Return what a state is folded from; see :class:`Store`."""
        return self._call("load", lambda: self.store.load(stream))

    def read(self, stream: str, after: int, limit: int) -> list[bytes]:
        """Return events; see :class:`Store`."""
        return self._call("read", lambda: self.store.read(stream, after, limit))

    def about(self, stream: str, first: int, last: int) -> list[bytes]:
        """Return events about others; see :class:`Store`."""
        return self._call("about", lambda: self.store.about(stream, first, last))

    def taken_back(self, stream: str, after: int, last: int) -> list[int]:
        """Return the seqs of deleted events; see :class:`Store`."""
        return self._call("taken_back", lambda: self.store.taken_back(stream, after, last))

    def page(
        self, stream: str, kind: str, after: int | None, before: int | None, limit: int
    ) -> list[bytes]:
        """Return a page of events; see :class:`Store`."""
        return self._call("page", lambda: self.store.page(stream, kind, after, before, limit))

    def count(self, stream: str, kind: str, after: int, not_by: str, limit: int) -> int:
        """Count events; see :class:`Store`."""
        return self._call("count", lambda: self.store.count(stream, kind, after, not_by, limit))

    def used(self, by: str, key: str) -> Used | None:
        """Return the record of a key; see :class:`Store`."""
        return self._call("used", lambda: self.store.used(by, key))

    def search(self, stream: str, words: Sequence[str], before: int, limit: int) -> list[int]:
        """Search the texts; see :class:`Store`."""
        return self._call("search", lambda: self.store.search(stream, words, before, limit))

    def catch_up(self) -> bool:
        """Do deferred work; see :class:`Store`."""
        return self._call("catch_up", self.store.catch_up)

    def expire(self, before: int) -> bool:
        """Remove expired keys; see :class:`Store`."""
        return self._call("expire", lambda: self.store.expire(before))

    def check(self) -> None:
        """Check whether a failure has passed; see :class:`Store`."""
        self._call("check", self.store.check)

    def streams(self) -> Iterator[tuple[str, int]]:
        """Yield the streams; see :class:`Store`."""
        return self._call("streams", self.store.streams)

    def names(self, after: str, before: str, limit: int) -> list[str]:
        """Return names of streams; see :class:`Store`."""
        return self._call("names", lambda: self.store.names(after, before, limit))

    def committed(self, after: int, limit: int) -> list[PlacedEvent]:
        """Return events in the order of commits; see :class:`Store`."""
        return self._call("committed", lambda: self.store.committed(after, limit))

    def last_place(self) -> int:
        """Return the place of the newest event; see :class:`Store`."""
        return self._call("last_place", self.store.last_place)

    def records(self, stream: str, after: int, limit: int) -> list[Record]:
        """Return events with their columns; see :class:`Store`."""
        return self._call("records", lambda: self.store.records(stream, after, limit))

    def snapshots(self, after: str, limit: int) -> list[Snapshot]:
        """Return snapshots; see :class:`Store`."""
        return self._call("snapshots", lambda: self.store.snapshots(after, limit))

    def keys(self, after: tuple[str, str], limit: int) -> list[Used]:
        """Return used keys; see :class:`Store`."""
        return self._call("keys", lambda: self.store.keys(after, limit))

    # For a store that is shared; see SharedStore

    def hold(self, wanted: Wanted) -> Hold:
        """Lock streams; the hold's ``commit`` counts as a commit; see :class:`SharedStore`."""
        return FaultyHold(self, self._call("hold", lambda: self._shared.hold(wanted)))

    def news(self, wanted: Wanted) -> News:
        """Return what others have written; see :class:`SharedStore`."""
        return self._call("news", lambda: self._shared.news(wanted))

    def heads(self, streams: Sequence[str]) -> dict[str, int]:
        """Return the seqs of last events; see :class:`SharedStore`."""
        return self._call("heads", lambda: self._shared.heads(streams))

    def keep_part(self, snapshot: Snapshot, number: int) -> None:
        """Write a part of a snapshot; see :class:`Store`."""
        self._call("keep_part", lambda: self.store.keep_part(snapshot, number))

    def keep(self, snapshots: Sequence[Snapshot]) -> None:
        """Write snapshots; see :class:`SharedStore`."""
        self._call("keep", lambda: self._shared.keep(snapshots))

    def beat(self, node: str, name: str, version: str, *, leaving: bool) -> list[NodeRecord]:
        """Tell that a node lives; see :class:`SharedStore`."""
        return self._call("beat", lambda: self._shared.beat(node, name, version, leaving=leaving))

    @property
    def _shared(self) -> SharedStore:
        assert self.store.shared
        return cast(SharedStore, self.store)

    def close(self) -> None:
        """Close the wrapped store; it never fails, and also works after a crash."""
        self.store.close()

    def call_hold(self, operation: str, work: Callable[[], T]) -> T:
        """Run a method of a hold, with the faults of this name."""
        return self._call(operation, work)

    def _call(self, operation: str, work: Callable[[], T]) -> T:
        fault = self._next_fault(operation)
        if self._crashed:
            raise StorageError("The store has crashed, so it does nothing any more.")
        kind = None if fault is None else fault.kind
        if kind == "delay" and fault is not None and not in_simulation():
            time.sleep(fault.seconds)
        if kind == "error":
            raise failure_of(apsw.IOError("an injected fault"), "faulty")
        self._full = self._full or kind == "full"
        if self._full and operation in ("commit", "check"):
            raise failure_of(apsw.FullError("an injected fault"), "faulty")
        if kind == "crash_before":
            self._crash()
        result = work()
        if kind == "crash_after":
            self._crash()
        return result

    def _next_fault(self, operation: str) -> StoreFault | None:
        with self._lock:
            self._calls[operation] += 1
            number = self._calls[operation]
            fault = None if self._crashed else self._plan(operation, number)
            if fault is not None:
                self.faults.append(InjectedFault(operation, number, fault))
            return fault

    def _crash(self) -> None:
        self.crash()
        raise StorageError("The store has crashed; whether it has written this is unknown.")


class FaultyHold:
    """
    A hold that fails as its store does.

    Args:
        store: the store that fails.
        hold: the hold of the store that does the work.
    """

    def __init__(self, store: FaultyStore, hold: Hold) -> None:
        self.news = hold.news
        self._store = store
        self._hold = hold

    def commit(self, batch: Batch) -> None:
        """Write a batch; see :class:`Hold`."""
        self._store.call_hold("commit", lambda: self._hold.commit(batch))

    def release(self) -> None:
        """Release the locks; see :class:`Hold`."""
        self._store.call_hold("release", self._hold.release)


def _by_commit(faults: Mapping[int, StoreFault]) -> Callable[[str, int], StoreFault | None]:
    return lambda operation, number: faults.get(number) if operation == "commit" else None
