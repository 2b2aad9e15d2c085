"""
Holds what a batch may touch, where other nodes write to the store, too.

Before a batch is decided, its streams, keys and rate limits are locked in the store, and what
other nodes have written since is applied to the states. A call does not have to know what its
decision needs: what it needs and the batch does not hold counts as not in memory. The call waits
for a later batch, which holds that name too. So nothing is ever locked in the middle of a
transaction, and no two nodes can wait for each other.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import anyio

from ...errors import StorageError
from ..command import Call, nothing
from ..event import Event, Streams
from ..store_clock import StoreClock
from ..stores.contract import Batch, Snapshot, Stale
from ..stores.sharing import NEWS_EVENTS_MAX, Hold, News, SharedStore, Wanted
from .cache_entries import IdempotencyRecord, Name, StreamEntry
from .states import States
from .writer import Writer

__all__ = ["HELD_CALLS_MAX", "Holder"]

logger = logging.getLogger("hubbub.journal")

# Calls in one batch, so that its locks are held for some milliseconds only.
HELD_CALLS_MAX = 500
# How long to wait before another attempt to lock what another node holds.
AGAIN_SECONDS = 0.002

# Told what other nodes have written to a stream: encoded, and decoded.
Hear = Callable[[str, Sequence[bytes], Sequence[Event]], None]


class Holder:
    """
    Holds streams, keys and limits for one batch at a time.

    Args:
        store: the store.
        writer: runs the store's methods.
        states: the cache of states.
        streams: decode the events of other nodes.
        clock: learns the store's time, and measures how long the locks are waited for.
        hear: called with the events of other nodes, in order, once they are in the states.
        seconds_max: how long the locks are waited for.
    """

    def __init__(  # noqa: PLR0913
        self,
        store: SharedStore,
        writer: Writer,
        states: States,
        streams: Streams,
        clock: StoreClock,
        hear: Hear,
        seconds_max: float,
    ) -> None:
        self._store = store
        self._writer = writer
        self._states = states
        self._streams = streams
        self._clock = clock
        self._hear = hear
        self._seconds_max = seconds_max
        self._hold: Hold | None = None
        # Those of the last batch that was committed, until they are written.
        self._snapshots: Sequence[Snapshot] = ()

    async def hold(self, calls: Sequence[Call[Any]]) -> None:
        """
        Lock what the calls may touch, and apply what other nodes have written.

        Raises:
            StorageError: the store cannot be reached, or other nodes hold it for too long.
        """
        wanted, held = self._wanted(calls)
        asked = self._clock.monotonic()
        news = await self._news(wanted)
        if news.at is not None:
            self._clock.learn(news.at, asked)
        for stream, bodies in news.bodies.items():
            self._apply(stream, bodies)
        for by, key in wanted.keys:
            self._renew((by, key, ""), is_used=(by, key) in news.used)
        states = self._states
        states.set_time(news.at or self._clock.now(), self._clock.monotonic())
        states.limits.hold(wanted.limits, news.limits)
        states.hold(held, wanted.looks.keys())
        states.trim()

    async def release(self) -> None:
        """Release the locks, unless a commit has done so."""
        hold, self._hold = self._hold, None
        if hold is not None:
            await self._writer.release(hold)

    async def commit(self, batch: Batch) -> None:
        """
        Commit what was decided on what is held; it ends the hold.

        Raises:
            Stale: nothing was written; decide again.
            StorageError: nothing was written, or it is not known.
        """
        hold, self._hold = self._hold, None
        assert hold is not None, "only a call that holds something writes"
        await self._writer.commit(batch, hold)
        self._snapshots = batch.snapshots

    async def keep(self) -> None:
        """Write the snapshots of the last batch that was committed; no caller waits for them."""
        snapshots, self._snapshots = self._snapshots, ()
        if snapshots:
            await self._writer.keep(self._store, snapshots)

    def _wanted(self, calls: Iterable[Call[Any]]) -> tuple[Wanted, set[Name]]:
        names, looks = set[str](), set[str]()
        keys, limits = set[tuple[str, str]](), set[tuple[str, str]]()
        for call in calls:
            command = call.command
            streams = looks if command.decide is nothing else names
            streams.update(command.reads, command.creates)
            looks.update(command.looks)
            limits.update(command.charges)
            if command.key is not None:
                keys.add((command.by, command.key))
            for need in call.needs:
                match need:
                    case (what, user, _, _):
                        limits.add((what, user))
                    case str() | (str(), int()):
                        streams.add(need if isinstance(need, str) else need[0])
        return self._complete(names, looks, keys, limits)

    def _complete(
        self,
        names: set[str],
        looks: set[str],
        keys: set[tuple[str, str]],
        limits: set[tuple[str, str]],
    ) -> tuple[Wanted, set[Name]]:
        """Add what is known of each; what is not in memory cannot be brought up to date."""
        streams = self._heads(sorted(names))
        others = self._heads(sorted(looks - streams.keys()))
        unknown = [key for key in sorted(keys) if not self._is_used(key)]
        held: set[Name] = {*streams, *((by, key, "") for by, key in keys)}
        return Wanted(streams, others, unknown, sorted(limits)), held

    def _heads(self, names: Iterable[str]) -> dict[str, int]:
        heads = dict[str, int]()
        for name in names:
            if isinstance(entry := self._states.get(name), StreamEntry):
                heads[name] = entry.head
        return heads

    def _is_used(self, key: tuple[str, str]) -> bool:
        record = self._states.get((*key, ""))
        return isinstance(record, IdempotencyRecord) and bool(record.fingerprint)

    async def _news(self, wanted: Wanted) -> News:
        if not (wanted.streams or wanted.keys or wanted.limits):
            return await self._writer.news(self._store, wanted) if wanted.looks else News()
        deadline = self._clock.monotonic() + self._seconds_max
        while True:
            try:
                self._hold = await self._writer.hold(self._store, wanted)
            except Stale as error:
                if self._clock.monotonic() > deadline:
                    raise StorageError(
                        "Other servers wrote to the same streams all the time; try again."
                    ) from error
                await anyio.sleep(AGAIN_SECONDS)
            else:
                return self._hold.news

    def _apply(self, stream: str, bodies: Sequence[bytes]) -> None:
        entry = self._states.get(stream)
        if not isinstance(entry, StreamEntry):
            return
        if len(bodies) >= NEWS_EVENTS_MAX:
            # To load it again is cheaper than to bring it up to date.
            self._states.forget([entry])
            return
        try:
            events = [self._streams.decode(body) for body in bodies]
            for event in events:
                # It may have been loaded again in the meantime.
                if event.seq > entry.head:
                    entry.take(event)
                    self._states.applied(event)
        except Exception:  # a fault in a fold, or an event that this release does not know
            # It is loaded again, and its calls get the error if that fails, too.
            logger.exception("what other servers wrote to %s cannot be applied", stream)
            self._states.forget([entry])
        else:
            self._hear(stream, bodies, events)

    def _renew(self, name: tuple[str, str, str], *, is_used: bool) -> None:
        """Record whether a key was used; what it was used for is loaded when it is needed."""
        if is_used:
            self._states.forget_key(name)
        else:
            self._states.put(IdempotencyRecord(name))
