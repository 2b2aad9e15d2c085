"""The work between the batches: large snapshots, what the store has deferred, expired keys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

import anyio

from ...clock import Clock
from ...errors import StorageError
from ...wake_up import WakeUp
from ..stores.contract import Snapshot
from .large_snapshots import LargeSnapshots
from .writer import Writer

__all__ = ["Upkeep"]

# Seconds that the queue is empty before deferred work starts; and how long to pause after a
# part of it, as a multiple of the part's time: calls that arrive meanwhile rarely wait for it.
IDLE_SECONDS = 0.05
PAUSE_FACTOR = 4
# While a caller waits for deferred work, this multiple of a batch's time is spent on it before
# the next batch: more than a batch defers, or the caller would wait as long as others write.
CATCH_UP_FACTOR = 4
# How often a store that could not write is checked, in seconds.
CHECK_SECONDS = 1.0
# How often a part of the expired keys is removed.
EXPIRE_SECONDS = 600.0
EXPIRE_PART_SECONDS = 0.25


class Upkeep:
    """
    Does deferred work in bounded parts, with batches in between.

    Args:
        writer: does the work.
        clock: measures it.
        key_seconds: how long idempotency keys are remembered.
        failed: called when a part has failed.
    """

    def __init__(
        self, writer: Writer, clock: Clock, key_seconds: float, failed: Callable[[], None]
    ) -> None:
        self.snapshots = LargeSnapshots(writer)
        self._writer = writer
        self._clock = clock
        self._key_seconds = key_seconds
        self._failed = failed
        self._expire_at = clock.monotonic() + EXPIRE_PART_SECONDS
        self._put_off = True
        # Why the last attempt at it failed; the next attempt comes after the next commit.
        self._behind = ""
        self._caught_up: anyio.Event | None = None
        self._pause = IDLE_SECONDS

    @property
    def wanted(self) -> bool:
        """True if a caller waits for deferred work."""
        return self._caught_up is not None

    def commit_done(self, large: Iterable[Snapshot] = ()) -> None:
        """
        Note that a commit may have deferred work.

        Args:
            large: the large snapshots of its states.
        """
        self._put_off, self._behind = True, ""
        self.snapshots.add(large)

    async def caught_up(self, wake: Callable[[], None]) -> None:
        """
        Wait until the deferred work so far is done.

        Args:
            wake: wakes the task that does it.

        Raises:
            StorageError: the store cannot do it at the moment.
        """
        if self._put_off:
            if self._caught_up is None:
                self._caught_up = anyio.Event()
            wake()
            await self._caught_up.wait()
            if self._behind:
                raise StorageError(self._behind)

    async def do_until(self, wake_up: WakeUp, is_busy: Callable[[], bool]) -> None:
        """
        Do deferred work until a call comes, or a caller waits for the work.

        Args:
            wake_up: set when a call comes.
            is_busy: returns whether calls wait.
        """
        self._pause = IDLE_SECONDS
        while not is_busy() and not self.wanted:
            if (following := self.next()) is None:
                return await wake_up.wait()
            work, seconds = following
            with anyio.move_on_after(seconds):
                return await wake_up.wait()
            await self.do(work)
        return None

    def next(self) -> tuple[Callable[[], Awaitable[None]], float] | None:
        """Return what to do while no call comes, and in how many seconds; None for nothing."""
        if self._writer.fails:
            return self._writer.check, CHECK_SECONDS
        if self.snapshots:
            return self._keep_part, self._pause
        if self._put_off and not self._behind:
            return self._catch_up, self._pause
        return None

    async def do(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do what :meth:`next` has returned."""
        began = self._clock.monotonic()
        await work()
        self._pause = PAUSE_FACTOR * (self._clock.monotonic() - began)

    async def after_batch(self, batch_seconds: float, is_busy: Callable[[], bool]) -> None:
        """
        Do what a caller waits for, write parts of large snapshots, and let keys expire.

        Args:
            batch_seconds: how long the batch took.
            is_busy: returns whether calls wait.
        """
        if self.wanted:
            until = self._clock.monotonic() + CATCH_UP_FACTOR * batch_seconds
            while self.wanted:
                await self._catch_up()
                if is_busy() and self._clock.monotonic() >= until:
                    break
        await self._keep_parts(batch_seconds)
        if self._clock.monotonic() >= self._expire_at:
            await self._expire()

    def abandon(self) -> None:
        """Let nobody wait any more, because the journal closes."""
        if self._caught_up is not None:
            self._caught_up.set()

    async def _catch_up(self) -> None:
        # One bounded part at a time, with commands in between.
        try:
            self._put_off = await self._writer.catch_up()
            self._behind = ""
        except StorageError as error:
            self._behind = str(error)
            self._failed()
        if self._caught_up is not None and (self._behind or not self._put_off):
            self._caught_up.set()
            self._caught_up = None

    async def _keep_parts(self, seconds: float) -> None:
        # As many as take as long as the batch did: then no call waits twice as long, and still
        # a snapshot is written before many more events come than it has.
        until = self._clock.monotonic() + seconds
        while self.snapshots:
            await self._keep_part()
            if self._clock.monotonic() >= until:
                break

    async def _keep_part(self) -> None:
        try:
            await self.snapshots.write_part()
        except StorageError:
            # The store's health logs the failure.
            self._failed()

    async def _expire(self) -> None:
        seconds = EXPIRE_SECONDS
        try:
            if await self._writer.expire(int(self._clock.now().timestamp() - self._key_seconds)):
                seconds = EXPIRE_PART_SECONDS
        except StorageError:
            # The store's health logs the failure; the next run removes them.
            self._failed()
        self._expire_at = self._clock.monotonic() + seconds
