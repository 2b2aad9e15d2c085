"""Writes to a store in a thread of its own, with a deadline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

import anyio
import anyio.lowlevel

from ...errors import StorageError
from ..health import Health
from ..stores.contract import Batch, Snapshot, Stale, Store
from ..stores.sharing import Hold, News, SharedStore, Wanted
from ..threads import LateWork, Run, Threads

__all__ = ["Writer"]

T = TypeVar("T")


class Writer:
    """
    Writes to a store, one operation at a time.

    Args:
        store: the store.
        health: notified of failures and recoveries.
        seconds_max: how long one operation can take.
    """

    def __init__(self, store: Store, health: Health, seconds_max: float) -> None:
        # Why nothing can be written now: a thread did not return in time.
        self.stuck = ""
        self._store = store
        self._health = health
        self._seconds_max = seconds_max
        self._threads = Threads(1)
        # Waits for a late thread.
        self._waiting = Threads(1)
        self._late: Run[object] | None = None

    @property
    def fails(self) -> bool:
        """True if the last write failed, though the store answers."""
        return self._health.is_failing("writing") and not self.stuck

    async def commit(self, batch: Batch, hold: Hold | None = None) -> None:
        """
        Write a batch as one transaction.

        Args:
            batch: the contents.
            hold: the locks that were taken for it, if other nodes write to the store, too.

        Raises:
            Stale: another writer was first; nothing was written.
            StorageError: nothing was written or, if it is ``stuck`` now, the result is unknown.
        """
        await self._work(self._store.commit if hold is None else hold.commit, batch)

    async def hold(self, store: SharedStore, wanted: Wanted) -> Hold:
        """Lock what a batch may touch. Raises as :meth:`commit`."""
        return await self._work(store.hold, wanted)

    async def news(self, store: SharedStore, wanted: Wanted) -> News:
        """Return what other nodes have written. Raises as :meth:`commit`."""
        return await self._work(store.news, wanted)

    async def release(self, hold: Hold) -> None:
        """Release locks; if that fails, the store does so by itself after some time."""
        with suppress(StorageError):
            await self._work(hold.release)

    async def keep(self, store: SharedStore, snapshots: Sequence[Snapshot]) -> None:
        """Write snapshots; if that fails, they are written another time."""
        with suppress(StorageError):
            await self._work(store.keep, snapshots)

    async def keep_part(self, snapshot: Snapshot, number: int) -> None:
        """Write one part of a snapshot. Raises as :meth:`commit`."""
        await self._work(self._store.keep_part, snapshot, number)

    async def catch_up(self) -> bool:
        """Do a part of the deferred work; return whether more is left. Raises as :meth:`commit`."""
        return await self._work(self._store.catch_up)

    async def expire(self, before: int) -> bool:
        """Remove some expired keys; return whether more are left. Raises as :meth:`commit`."""
        return await self._work(self._store.expire, before)

    async def check(self) -> None:
        """Check whether the store can be written to again."""
        try:
            await self._work(self._store.check)
        except StorageError:
            # The store's health has logged it.
            return

    async def come_back(self) -> bool:
        """Wait for a late thread; return True if it has done its work after all."""
        run, self._late = self._late, None
        assert run is not None
        await self._waiting.run(run.ended.wait, abandon=True)
        self.stuck = ""
        try:
            outcome = run.outcome()
            if isinstance(outcome, Hold):
                # Nobody wants these locks any more.
                await self._threads.run(outcome.release)
        except Exception as error:
            self._health.failure("writing", error)
            return False
        self._health.success("writing")
        return True

    async def _work(self, work: Callable[..., T], *args: object) -> T:
        if self.stuck:
            raise StorageError(self.stuck)
        try:
            found = await self._run(work, *args)
        except Stale:
            # The store itself works.
            raise
        except Exception as error:
            failure = self._failure(error)
            self._health.failure("writing", failure)
            if failure is error:
                raise
            raise failure from error
        self._health.success("writing")
        return found

    def _failure(self, error: Exception) -> StorageError:
        if isinstance(error, StorageError):
            return error
        if not isinstance(error, LateWork):
            return StorageError("The store failed; nothing of this command was written.")
        self._late = error.run
        self.stuck = (
            f"The store did not answer for {self._seconds_max:g} s, and is still busy. "
            "Try again later; with the same key nothing happens twice."
        )
        return StorageError(
            f"The store did not answer for {self._seconds_max:g} s: it is not known whether "
            "the command was written. Check, or send it again with the same key."
        )

    async def _run(self, work: Callable[..., T], *args: object) -> T:
        if self._store.blocking:
            return await self._threads.run_until(self._seconds_max, work, *args)
        with anyio.CancelScope(shield=True):
            await anyio.lowlevel.checkpoint()
        return work(*args)
