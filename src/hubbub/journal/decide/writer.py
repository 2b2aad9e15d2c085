"""The writing side of a store: in a thread of its own, with a deadline."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import anyio
import anyio.lowlevel

from ...errors import StorageError
from ..health import Health
from ..stores.contract import Batch, LostRace, Store
from ..threads import LateWork, Run, Threads

__all__ = ["Writer"]

T = TypeVar("T")


class Writer:
    """
    Writes to a store, one thing at a time.

    Args:
        store: written to by nobody else.
        health: told what fails, and what works again.
        seconds_max: how long one piece of work may take.
    """

    def __init__(self, store: Store, health: Health, seconds_max: float) -> None:
        # Why nothing can be written now: a thread did not come back in time.
        self.stuck = ""
        self._store = store
        self._health = health
        self._seconds_max = seconds_max
        self._threads = Threads(1)
        # Waits for a thread that is late.
        self._waiting = Threads(1)
        self._late: Run[object] | None = None

    @property
    def fails(self) -> bool:
        """True while what was written last failed, though the store answers."""
        return self._health.is_failing("writing") and not self.stuck

    async def commit(self, batch: Batch) -> None:
        """
        Write a batch as one transaction.

        Raises:
            LostRace: another writer was first; nothing was written.
            StorageError: nothing was written or, if it is ``stuck`` now, nobody knows.
        """
        await self._work(self._store.commit, batch)

    async def catch_up(self) -> bool:
        """Do a part of the work put off; tell if more is left. Raises as :meth:`commit` does."""
        return await self._work(self._store.catch_up)

    async def expire(self, before: int) -> bool:
        """Remove some keys that are older; tell if more are left. Raises as :meth:`commit`."""
        return await self._work(self._store.expire, before)

    async def check(self) -> None:
        """Try whether the store can be written to again."""
        try:
            await self._work(self._store.check)
        except StorageError:
            # The store's health knows.
            return

    async def come_back(self) -> bool:
        """Wait for the thread that is late; True if it has done its work after all."""
        run, self._late = self._late, None
        assert run is not None
        await self._waiting.run(run.ended.wait, abandon=True)
        self.stuck = ""
        try:
            run.outcome()
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
        except LostRace:
            # The store is well.
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
            return StorageError("The store failed; nothing of this command was kept.")
        self._late = error.run
        self.stuck = (
            f"The store did not answer for {self._seconds_max:g} s, and is still at work. "
            "Try again later; with the same key nothing happens twice."
        )
        return StorageError(
            f"The store did not answer for {self._seconds_max:g} s: it is not known whether "
            "the command was kept. Look, or send it again with the same key."
        )

    async def _run(self, work: Callable[..., T], *args: object) -> T:
        if self._store.blocking:
            return await self._threads.run_until(self._seconds_max, work, *args)
        with anyio.CancelScope(shield=True):
            await anyio.lowlevel.checkpoint()
        return work(*args)
