"""
The heart of the journal: calls in, one transaction, results and events out.

Theory of operation
-------------------
A call is *queued*, *taken*, and *done*; it can be withdrawn only while it is queued.
One task takes all queued calls and decides them, one after another, without waiting in
between: the states that a decision reads cannot change before its events are applied, so
nothing needs a lock. The new events of the whole batch are written in one transaction in the
worker thread. Then, and only then, the events are published and the calls are done, in the
order in which they were decided. The next batch collects while this one is being written.

A decision that needs something that is not in memory raises NotLoaded. It has no effect:
decisions are pure, and a call's events are applied only when all their streams are in memory.
The loader loads what is missing and queues the call again.

A refused call is done at once and costs nothing. A decision that fails after it has changed a
state ends its batch: the calls before it are committed, then the state is dropped from memory.
A commit that fails fails every call of its batch that wrote events or may have seen them, and
their states are dropped, so memory is never ahead of the store. If another writer was first,
the batch is decided again.

If the store does not answer within the deadline, the result is unknown: every call is
refused until its thread returns. Then the result is known: the states are dropped, events
that were written after all are published, and the journal continues.

Callbacks into the rest of the hub (``on_done``, observers, topics) may fail: the failure is
logged, and the batch continues. Any other error fails the calls of its batch, and no others.

Cancelling a caller abandons its wait. Cancelling the committer, which happens only when the
hub closes, lets the current transaction finish, up to the deadline.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Any

import anyio
import anyio.abc
import anyio.lowlevel

from ...clock import Clock
from ...errors import HubbubError, StorageError
from ...wake_up import WakeUp
from ..command import Call, put_back
from ..event import Event, Streams
from ..measures import Measures
from ..stores.contract import Record, Stale
from .cache_entries import Name, NotLoaded
from .decider import FAULT, Decided, Decider
from .holder import HELD_CALLS_MAX, Holder
from .limits import is_limit
from .states import States
from .upkeep import Upkeep
from .writer import Writer

__all__ = ["Committer"]

logger = logging.getLogger("hubbub.journal")

# After a batch of this many calls, more are expected at once.
BUSY_CALLS = 16
# And after a batch that took so long: the calls that came meanwhile are still in their sockets.
BUSY_SECONDS = 0.001
# How often a command is decided again because another writer was first.
RACES_MAX = 5

Publish = Callable[[Sequence[Event], Sequence[Record]], None]
Load = Callable[[Call[Any], Sequence[Name]], None]


class Committer:
    """
    Decides calls in batches, and commits them.

    Args:
        writer: writes the batches.
        states: the cache of states.
        streams: the known kinds of stream.
        clock: gives the time of events.
        publish: called with a batch's events and records once they are durable.
        load: called with a call that must wait, and the names that it waits for.
        after_batch: called when all calls of a batch are done.
        batch_calls_max: the number of calls in a batch.
        key_seconds: how long idempotency keys are remembered.
        holder: holds what a batch may touch, if other nodes write to the store, too.
    """

    def __init__(  # noqa: PLR0913
        self,
        writer: Writer,
        states: States,
        streams: Streams,
        clock: Clock,
        *,
        publish: Publish,
        load: Load,
        after_batch: Callable[[], None],
        batch_calls_max: int,
        key_seconds: float,
        holder: Holder | None = None,
    ) -> None:
        self.measures = Measures()
        self.queue: deque[Call[Any]] = deque()
        # False from the first queued call until a batch leaves the queue empty.
        self.idle = True
        self._writer = writer
        self._states = states
        self._streams = streams
        self._clock = clock
        self._decider = Decider(states)
        self._publish = publish
        self._load = load
        self._after_batch = after_batch
        self._batch_calls_max = batch_calls_max
        self._holder = holder
        self._upkeep = Upkeep(
            writer, clock, key_seconds, failed=lambda: self._come_back_later(Decided())
        )
        self._wake_up = WakeUp()
        self._busy = False
        self._progress: anyio.Event | None = None  # not a WakeUp: each call would set it
        # The event that queued calls wait on, and the event of the current batch.
        self._wake = anyio.Event()
        self._batch_wake: anyio.Event | None = None
        self._under_way = Decided()
        self._tasks: anyio.abc.TaskGroup | None = None
        self._coming_back = False

    def put(self, call: Call[Any]) -> None:
        """Queue a call."""
        if call.wake is not None:
            call.wait_on(self._wake)
        elif call.waits:
            call.wake = self._wake
        self.queue.append(call)
        if self.idle:
            self.idle = False
            self._wake_up.set()

    def withdraw(self, call: Call[Any]) -> None:
        """Withdraw a queued call; a call that was taken will be committed."""
        if not call.taken and call in self.queue:
            self.queue.remove(call)
            self._leave(call)
            self._states.release(call)
        self._make_progress()

    async def run(self) -> None:
        """Decide batches until cancelled."""
        async with anyio.create_task_group() as self._tasks:
            while True:
                await self._upkeep.do_until(self._wake_up, lambda: bool(self.queue))
                if self._busy:
                    # Calls that arrive now join the batch: fewer batches cost less for each call.
                    await anyio.lowlevel.checkpoint()
                began = self._clock.monotonic()
                if self.queue:
                    await self._run_batch()
                batch_seconds = self._clock.monotonic() - began
                self._busy = self._busy or batch_seconds > BUSY_SECONDS
                await self._upkeep.after_batch(batch_seconds, lambda: bool(self.queue))
                if not self.queue:
                    self.idle = True
                    self._make_progress()

    async def caught_up(self) -> None:
        """
        Wait until the deferred work so far is done.

        Raises:
            StorageError: the store cannot do it at the moment.
        """
        await self._upkeep.caught_up(self._wake_up.set)

    def finish(self, call: Call[Any]) -> None:
        """Give a call its outcome."""
        call.done = True
        self.measures.calls += 1
        if call.command.effect is not None:
            call.take_effect()
        if call.on_done is not None:
            try:
                call.on_done(call)
            except Exception:
                # The other calls of the batch are still notified.
                logger.exception("a call's caller could not be notified")
        # A batch's own event is set once, when all its calls are done.
        if call.wake is not None and call.wake is not self._batch_wake:
            call.wake.set()
        self._states.release(call)
        if self._progress is not None:
            self._make_progress()

    def refuse(self, call: Call[Any], error: Exception) -> None:
        """Give a call its error."""
        call.error = error
        self.measures.refusals += 1
        self._leave(call)
        self.finish(call)

    def abandon(self, error: HubbubError) -> None:
        """Fail all remaining calls, because the journal closes."""
        self._batch_wake = None
        for call in self._under_way.calls:
            if not call.done:
                call.error = error
                self.finish(call)
        while self.queue:
            self.refuse(self.queue.popleft(), error)
        self._upkeep.abandon()

    async def progress(self) -> None:
        """Wait until a call is done or withdrawn, or all are."""
        if self._progress is None:
            self._progress = anyio.Event()
        await self._progress.wait()

    # Late commits

    def _come_back_later(self, decided: Decided) -> None:
        if self._writer.stuck and not self._coming_back:
            assert self._tasks is not None
            self._coming_back = True
            self._tasks.start_soon(self._come_back, decided)

    async def _come_back(self, decided: Decided) -> None:
        """Find out the result of a batch whose thread is late, and continue from there."""
        was_done = await self._writer.come_back()
        self._coming_back = False
        # Everything that was loaded in the meantime may be outdated.
        self._states.forget(decided.entries | decided.spoilt)
        if was_done and decided.events:
            self._publish(decided.events, decided.batch.records)
            self._after_batch()
        self._upkeep.commit_done()
        self._wake_up.set()

    # Batches

    async def _run_batch(self) -> None:
        decided = self._under_way = Decided()
        self._busy = len(self.queue) >= BUSY_CALLS
        wake = self._batch_wake = self._wake
        self._wake = anyio.Event()
        try:
            if self._holder is None:
                self._states.set_time(self._clock.now(), self._clock.monotonic())
                self._decide_first(self._batch_calls_max, decided)
                if decided.batch.records:
                    await self._commit(decided)
            else:
                await self._run_held(self._holder, decided)
        except Exception as error:
            logger.exception("a batch has failed")
            self._fail(decided, error)
            if not decided.calls:
                # Fail the taken calls, so that no caller waits without end.
                self.abandon(StorageError("The server failed; try again."))
        finally:
            if decided.spoilt:
                self._states.forget(decided.spoilt)
        self._tell(decided, wake)
        if self._holder is not None:
            await self._holder.keep()
            self._come_back_later(Decided())
        if self.queue and not decided.batch.records:
            # Let other tasks run between two batches.
            await anyio.lowlevel.checkpoint()

    def _tell(self, decided: Decided, wake: anyio.Event) -> None:
        for call in decided.calls:
            self.finish(call)
        for call in self.queue:
            # It does not fit into this batch.
            if call.wake is wake:
                call.wake = self._wake
        self._batch_wake = None
        wake.set()
        # New keys are in memory though nobody has loaded them, those of refused calls as well.
        self._states.trim()
        self._after_batch()

    async def _run_held(self, holder: Holder, decided: Decided) -> None:
        """Decide a batch on what it holds, because other nodes write to the store, too."""
        calls = list(islice(self.queue, min(self._batch_calls_max, HELD_CALLS_MAX)))
        try:
            await holder.hold(calls)
            # Some calls may have been withdrawn; nothing is held for later ones.
            self._decide_first(len(calls), decided, set(calls))
            decided.batch.limits.update(self._states.limits.charged())
            if decided.batch.records or decided.batch.limits:
                await self._commit(decided, holder)
        except StorageError as error:
            # It could not be held: a commit handles its own errors.
            self._refuse_all(calls, error)
            self._come_back_later(Decided())
        finally:
            with anyio.CancelScope(shield=True):
                await holder.release()

    def _refuse_all(self, calls: Sequence[Call[Any]], error: StorageError) -> None:
        for call in calls:
            if call in self.queue:
                self.queue.remove(call)
                # A copy for each: an error that many tasks raise collects all their frames.
                self.refuse(call, StorageError(str(error)))

    def _decide_first(
        self, count: int, decided: Decided, only: AbstractSet[Call[Any]] | None = None
    ) -> None:
        for _ in range(min(len(self.queue), count)):
            if only is not None and self.queue[0] not in only:
                return
            call = self.queue.popleft()
            call.taken = True
            self._decide(call, decided)
            if decided.spoilt:
                # Later calls must not see the states as they are now.
                return

    def _decide(self, call: Call[Any], decided: Decided) -> None:
        queue = call.queue
        if queue is not None and call.place != queue.turn:
            # An earlier call of its queue is not loaded yet.
            call.taken = False
            self._load(call, ())
            return
        try:
            if self._writer.stuck:
                raise StorageError(self._writer.stuck)
            self._decider.decide(call, decided)
        except NotLoaded as missing:
            # It keeps its pins, so that it gets further each time.
            call.taken = False
            if self._holder is None:
                self._load(call, missing.names)
            else:
                self._states.limits.undo_call()
                call.needs += missing.names
                self._load(call, [name for name in missing.names if not is_limit(name)])
        except Exception as error:  # a refusal, or a bug in the decision: fails this call alone
            self._states.limits.undo_call()
            self.refuse(call, error)
        else:
            if queue is not None:
                queue.leave(call.place)
            decided.calls.append(call)

    async def _commit(self, decided: Decided, holder: Holder | None = None) -> None:
        decided.take_snapshots(self._streams, self._states, self._upkeep.snapshots)
        began = self._clock.monotonic()
        try:
            if holder is None:
                await self._writer.commit(decided.batch)
            else:
                await holder.commit(decided.batch)
        except Stale as race:
            self._decide_again(decided, race)
        except StorageError as error:
            self._fail(decided, error)
            self._come_back_later(decided)
        else:
            self._upkeep.commit_done(decided.large)
            now = self._clock.monotonic()
            self.measures.committed(len(decided.calls), decided.batch.records, now - began, now)
            self._publish(decided.events, decided.batch.records)

    def _fail(self, decided: Decided, error: Exception) -> None:
        self._states.forget(decided.entries)
        self._states.limits.forget(call.command.by for call in decided.calls)
        text = str(error) if isinstance(error, StorageError) else FAULT
        for call in decided.calls:
            # A copy for each: an error that many tasks raise collects all their frames.
            call.error = StorageError(text)

    def _decide_again(self, decided: Decided, race: Stale) -> None:
        """Return the calls of a batch to the front of the queue, each to its old place."""
        self._fail(decided, race)
        again = [call for call in decided.calls if call.races < RACES_MAX]
        decided.calls = [call for call in decided.calls if call.races >= RACES_MAX]
        for call in again:
            self._states.release(call)
        put_back(again)
        self.queue.extendleft(reversed(again))

    def _make_progress(self) -> None:
        if self._progress is not None:
            self._progress.set()
            self._progress = None

    def _leave(self, call: Call[Any]) -> None:
        if call.queue is not None:
            call.queue.leave(call.place)
