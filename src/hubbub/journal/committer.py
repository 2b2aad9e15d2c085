"""
The heart: calls in, one transaction, results and events out.

Theory of operation
-------------------
A call is *queued*, *taken*, and *done*; it is withdrawn only while it is queued.
One task takes everything that is queued and decides it, call after call, without
waiting for anything in between: what a decision reads cannot change before its
events are applied, so there is nothing to lock. The new events of the whole batch
are written in one transaction in the worker thread. Then, and only then, the
events are published and the calls are done, in the order in which they were decided.
While a batch is being written the next one gathers.

A decision that touches what is not in memory raises NotLoaded. Nothing of it has
happened: decisions are pure, and a call's events are applied only when all the
streams that they go to are in memory. The call goes to the loader and comes back.

A refused call is done at once and costs nothing. A commit that fails fails every
call of its batch that wrote or may have seen what was written, and the states it
touched are forgotten, so memory never runs ahead of the store. If the store does
not answer within the deadline nobody knows what it did: the journal stops, and
says so to everyone, until it is opened again.

Cancelling a caller abandons its wait. Cancelling the committer, which happens only
when the hub is left, lets the transaction under way end, up to the deadline.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import anyio
import anyio.lowlevel
from anyio import to_thread

from ..clock import Clock
from ..errors import HubbubError, KeyReused, StorageError
from .command import Call, Command, NotLoaded
from .event import Draft, Event, Streams, encode_event, tag_of
from .measures import Measures
from .states import Cell, Name, States, StreamCell, UsedCell
from .stores.contract import Batch, Record, Snapshot, Store, Used

__all__ = ["Committer"]

T = TypeVar("T")

# How long the queue is empty before work that was put off is done, in seconds.
IDLE_SECONDS = 0.05
# How much of it is done between two batches when somebody waits for it: more than
# a batch puts off, or whoever waits would wait for as long as others write.
CATCH_UP_PARTS_MAX = 10
# A batch of so many calls says that more will come in a moment.
BUSY_CALLS = 16

Publish = Callable[[Sequence[Event], Sequence[Record]], None]
Load = Callable[[Call[Any], Sequence[Name]], None]


class _Decided:
    """A batch between its decisions and its commit."""

    __slots__ = ("batch", "calls", "cells", "events")

    def __init__(self) -> None:
        self.batch = Batch()
        self.calls: list[Call[Any]] = []
        self.cells: set[Cell] = set()
        self.events: list[Event] = []


class Committer:
    """
    Decides calls in batches.

    Args:
        store: written to by nobody else.
        states: what decisions look at.
        streams: the kinds of stream there are.
        clock: gives events their time.
        publish: called with a batch's events and records once they are durable.
        load: called with a call that must wait, and the names of what it waits for.
        after_batch: called when all of a batch are done.
        batch_calls_max: how many calls make a batch.
        commit_seconds_max: how long a commit may take.
    """

    def __init__(  # noqa: PLR0913
        self,
        store: Store,
        states: States,
        streams: Streams,
        clock: Clock,
        *,
        publish: Publish,
        load: Load,
        after_batch: Callable[[], None],
        batch_calls_max: int,
        commit_seconds_max: float,
    ) -> None:
        self.measures = Measures()
        self.queue: deque[Call[Any]] = deque()
        # False from the first queued call until a batch leaves the queue empty.
        self.idle = True
        self._store = store
        self._states = states
        self._streams = streams
        self._clock = clock
        self._publish = publish
        self._load = load
        self._after_batch = after_batch
        self._batch_calls_max = batch_calls_max
        self._commit_seconds_max = commit_seconds_max
        self._news = anyio.Event()
        self._put_off = True
        self._busy = False
        self._caught_up: anyio.Event | None = None
        # Why the last attempt at it failed; it is not repeated before the next commit.
        self._behind = ""
        self._progress: anyio.Event | None = None
        # What those who are queued wait on, and those of the batch under way.
        self._wake = anyio.Event()
        self._batch_wake: anyio.Event | None = None
        self._broken = ""

    def put(self, call: Call[Any]) -> None:
        """Queue a call."""
        if call.waits:
            call.wait_on(self._wake)
        self.queue.append(call)
        if self.idle:
            self.idle = False
            self._news.set()

    def withdraw(self, call: Call[Any]) -> None:
        """Take a queued call back; one that was taken will be committed whole."""
        if not call.taken and call in self.queue:
            self.queue.remove(call)
            self._leave(call)
            self._states.release(call)
        self._make_progress()

    async def run(self) -> None:
        """Decide batches until cancelled."""
        while True:
            await self._wait_for_calls()
            if self._busy:
                # What is on its way in joins the batch: fewer batches, less for each call.
                await anyio.lowlevel.checkpoint()
            if self.queue:
                await self._run_batch()
            for _ in range(CATCH_UP_PARTS_MAX):
                if self._caught_up is not None:
                    await self._catch_up()
            if not self.queue:
                self._news = anyio.Event()
                self.idle = True
                self._make_progress()

    async def caught_up(self) -> None:
        """
        Wait until the work put off so far is done.

        Raises:
            StorageError: it cannot be done now.
        """
        if self._put_off:
            if self._caught_up is None:
                self._caught_up = anyio.Event()
            self._news.set()
            await self._caught_up.wait()
            if self._behind:
                raise StorageError(self._behind)

    def finish(self, call: Call[Any]) -> None:
        """Hand a call its outcome."""
        call.done = True
        self.measures.calls += 1
        if call.on_done is not None:
            call.on_done(call)
        # A batch's own event is set once, when all of it is done.
        if call.wake is not None and call.wake is not self._batch_wake:
            call.wake.set()
        self._states.release(call)
        self._make_progress()

    def refuse(self, call: Call[Any], error: Exception) -> None:
        """Hand a call its error."""
        call.error = error
        self.measures.refusals += 1
        self._leave(call)
        self.finish(call)

    def abandon(self, error: HubbubError) -> None:
        """Fail what is still queued; for the end."""
        while self.queue:
            self.refuse(self.queue.popleft(), error)
        if self._caught_up is not None:
            self._caught_up.set()

    async def progress(self) -> None:
        """Wait until some call is done or withdrawn, or all are."""
        if self._progress is None:
            self._progress = anyio.Event()
        await self._progress.wait()

    async def in_thread(self, work: Callable[..., T], *args: object) -> T:
        """Run the store's code where it may block."""
        if self._store.blocking:
            return await to_thread.run_sync(work, *args, abandon_on_cancel=True)
        await anyio.lowlevel.checkpoint()
        return work(*args)

    async def _wait_for_calls(self) -> None:
        while not self.queue and self._caught_up is None:
            if not self._put_off or self._behind:
                await self._news.wait()
                return
            with anyio.move_on_after(IDLE_SECONDS):
                await self._news.wait()
                return
            await self._catch_up()

    async def _catch_up(self) -> None:
        # One bounded part at a time: commands go on in between.
        self._behind = self._broken
        try:
            if not self._broken:
                with anyio.fail_after(self._commit_seconds_max, shield=True):
                    self._put_off = await self.in_thread(self._store.catch_up)
        except StorageError as error:
            self._behind = str(error)
        except TimeoutError:
            self._behind = self._give_up()
        if self._caught_up is not None and (self._behind or not self._put_off):
            self._caught_up.set()
            self._caught_up = None

    async def _run_batch(self) -> None:
        decided = _Decided()
        self._busy = len(self.queue) >= BUSY_CALLS
        wake = self._batch_wake = self._wake
        self._wake = anyio.Event()
        self._states.now, self._states.monotonic = self._clock.now(), self._clock.monotonic()
        for _ in range(min(len(self.queue), self._batch_calls_max)):
            call = self.queue.popleft()
            call.taken = True
            self._decide(call, decided)
        if decided.batch.records:
            await self._commit(decided)
        for call in decided.calls:
            self.finish(call)
        for call in self.queue:
            # It was too many for this batch.
            if call.wake is wake:
                call.wake = self._wake
        self._batch_wake = None
        wake.set()
        self._after_batch()
        if self.queue and not decided.batch.records:
            # Others must get their turn between two batches.
            await anyio.lowlevel.checkpoint()

    def _decide(self, call: Call[Any], decided: _Decided) -> None:
        if call.lane is not None and call.place != call.lane.turn:
            # One that came before it is not loaded yet.
            call.taken = False
            self._load(call, ())
            return
        self._states.bind(call)
        try:
            if self._broken:
                raise StorageError(self._broken)
            self._decide_now(call, decided)
        except NotLoaded as missing:
            # It keeps what it has, so that each time it comes further.
            call.taken = False
            self._load(call, missing.names)
        except Exception as error:  # a refusal, or a fault in a decision: its caller's alone
            self.refuse(call, error)
        else:
            self._leave(call)
            decided.calls.append(call)

    def _decide_now(self, call: Call[Any], decided: _Decided) -> None:
        command, states = call.command, self._states
        used: UsedCell | None = None
        fingerprint = b""
        if command.key is not None:
            used = states.used(command.by, command.key)
            # It may refuse the arguments, and so comes before any event is applied.
            fingerprint = command.fingerprint()
            if used.fingerprint:
                if used.fingerprint != fingerprint:
                    raise KeyReused(
                        f"The key {command.key!r} was used for another command; take a new key."
                    )
                call.value = command.result(states, used.events)
                return
        drafts = command.decide(states)
        events = self._apply(command.by, drafts, decided) if drafts else ()
        if used is not None and events:
            used.fingerprint, used.events = fingerprint, tuple(events)
            self._use(used, command, decided)
        try:
            call.value = command.result(states, events)
        except NotLoaded as missing:
            if events:
                # To decide again would apply its events twice.
                raise AssertionError("a result needs what its decision did not read") from missing
            raise

    def _apply(self, by: str, drafts: Sequence[Draft], decided: _Decided) -> Sequence[Event]:
        states, cells = self._states, [self._states.cell(draft.stream) for draft in drafts]
        events, records = list[Event](), list[Record]()
        heads: dict[str, int] = {}
        # All that can fail comes before the first event is applied.
        for draft, cell in zip(drafts, cells, strict=True):
            stream, ref, data = draft.stream, draft.ref, draft.data
            if ref is not None:
                states.thread(stream, ref)
            seq = heads[stream] = heads.get(stream, cell.head) + 1
            at = states.now if cell.at is None or cell.at < states.now else cell.at
            event = Event(stream, seq, at, draft.by or by, ref, data)
            events.append(event)
            records.append(Record(stream, seq, tag_of(data), event.by, ref, encode_event(event)))
        for event, cell in zip(events, cells, strict=True):
            cell.take(event)
            decided.cells.add(cell)
            for seq in states.applied(event):
                decided.batch.superseded.append((event.stream, seq))
        decided.events += events
        decided.batch.records += records
        return events

    def _use(self, used: UsedCell, command: Command[Any], decided: _Decided) -> None:
        assert command.key is not None
        places = tuple((event.stream, event.seq) for event in used.events)
        decided.batch.used.append(Used(command.by, command.key, used.fingerprint, places))
        decided.cells.add(used)

    async def _commit(self, decided: _Decided) -> None:
        self._take_snapshots(decided)
        began = self._clock.monotonic()
        try:
            with anyio.fail_after(self._commit_seconds_max, shield=True):
                await self.in_thread(self._store.commit, decided.batch)
        except StorageError as error:
            self._fail(decided, str(error))
        except TimeoutError:
            self._fail(decided, self._give_up())
        else:
            self._put_off, self._behind = True, ""
            now = self._clock.monotonic()
            self.measures.committed(len(decided.calls), decided.events, now - began, now)
            self._publish(decided.events, decided.batch.records)

    def _take_snapshots(self, decided: _Decided) -> None:
        for cell in decided.cells:
            if isinstance(cell, StreamCell) and cell.wants_snapshot():
                body, parts = self._streams.encode_state(cell.state)
                # The parts are of one size, but for the last.
                size = len(body) + (len(parts) * len(parts[0]) if parts else 0)
                cell.tail, cell.snapshot_bytes = 0, size
                assert cell.at is not None
                snapshot = Snapshot(cell.stream, cell.head, cell.at, body, parts)
                decided.batch.snapshots.append(snapshot)

    def _fail(self, decided: _Decided, message: str) -> None:
        self._states.forget(decided.cells)
        self._states.forget_limits(call.command.by for call in decided.calls)
        for call in decided.calls:
            call.error = StorageError(message)

    def _give_up(self) -> str:
        # Whatever it does from now on, nobody else may write meanwhile.
        self._broken = self._behind = (
            f"The store did not answer for {self._commit_seconds_max} s: it is not known "
            "whether the command was kept. Open the hub again."
        )
        return self._broken

    def _make_progress(self) -> None:
        if self._progress is not None:
            self._progress.set()
            self._progress = None

    def _leave(self, call: Call[Any]) -> None:
        if call.lane is not None:
            call.lane.leave(call.place)
