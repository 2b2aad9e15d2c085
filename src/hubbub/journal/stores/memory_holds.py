"""Locks of a memory store that several hubs of one process share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Lock

from .contract import Batch, Stale
from .sharing import News

__all__ = ["HOLD_SECONDS_MAX", "Locks", "MemoryHold"]

# A holder that keeps its locks for longer than this loses them to the first that waits.
HOLD_SECONDS_MAX = 2.0


class MemoryHold:
    """
    The locks of one batch.

    Args:
        locks: all locks of the store.
        names: what is locked: streams, and rate limits.
        since: when, in seconds of the monotonic clock.
        commit: writes a batch to the store.
    """

    news: News

    def __init__(
        self, locks: Locks, names: Iterable[object], since: float, commit: Callable[[Batch], None]
    ) -> None:
        self.names = frozenset(names)
        self.since = since
        self._locks = locks
        self._commit = commit

    def commit(self, batch: Batch) -> None:
        """Write a batch, and release the locks; see :class:`Hold`."""
        if not self._locks.has(self):
            raise Stale
        try:
            self._commit(batch)
        finally:
            self.release()

    def release(self) -> None:
        """Release the locks."""
        self._locks.release(self)


class Locks:
    """
    All locks of a store, by what they lock.

    Args:
        monotonic: returns the time, in seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._holders: dict[object, MemoryHold] = {}
        # Each hub may call from a thread of its own.
        self._lock = Lock()

    def take(self, names: Iterable[object], commit: Callable[[Batch], None]) -> MemoryHold:
        """
        Take all of some locks.

        Raises:
            Stale: another hold has some of them; none was taken.
        """
        now = self._monotonic()
        hold = MemoryHold(self, names, now, commit)
        with self._lock:
            holders = {self._holders[name] for name in hold.names & self._holders.keys()}
            if any(now - holder.since < HOLD_SECONDS_MAX for holder in holders):
                raise Stale
            for holder in holders:
                self._release(holder)
            self._holders.update(dict.fromkeys(hold.names, hold))
        return hold

    def has(self, hold: MemoryHold) -> bool:
        """Return whether a holder still has its locks."""
        return all(self._holders.get(name) is hold for name in hold.names)

    def release(self, hold: MemoryHold) -> None:
        """Release a holder's locks, as far as it still has them."""
        with self._lock:
            self._release(hold)

    def _release(self, hold: MemoryHold) -> None:
        for name in hold.names:
            if self._holders.get(name) is hold:
                del self._holders[name]
