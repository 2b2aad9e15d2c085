"""The feed: all events of all streams, in the order in which they were committed."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Protocol, TypeVar

import anyio
import msgspec

from ...errors import Closed, Conflict, Invalid, StorageError
from ...shown import shown
from ..event import Event, Streams, tag_of
from ..redaction import show
from ..stores.contract import PlacedEvent, Store

__all__ = ["FEED_PAGE_BYTES_MAX", "FEED_PAGE_EVENTS_MAX", "Feed", "Feeds"]

R = TypeVar("R")

# Events that a feed reads from the store at one time, and so the most that it holds.
FEED_PAGE_EVENTS_MAX = 512
# Bytes of the events that a feed holds; it has at least one, however large that is.
FEED_PAGE_BYTES_MAX = 1 << 20

# A place in the journal, and which journal.
_POSITION = re.compile(r"([0-9]{1,18})@([0-9A-Za-z-]{16,64})")


class _Run(Protocol):
    def __call__(self, work: Callable[..., R], *args: object) -> Coroutine[Any, Any, R]:
        """Run what reads the store, in a thread if need be."""


class Feeds:
    """
    Lets any number of feeds read a journal; it keeps no events for them.

    Args:
        store: what is read.
        streams: the kinds of stream there are.
        run: reads the store.
        check_home: raises WrongLoop in another event loop than the journal's.
    """

    def __init__(
        self, store: Store, streams: Streams, run: _Run, check_home: Callable[[], None]
    ) -> None:
        self.streams = streams
        self.check_home = check_home
        # How many batches were committed, and how many took something back, while there was a feed.
        self.batches = 0
        self.deletions = 0
        # True when nothing more will be committed.
        self.closed = False
        # True when the store may not be read any more.
        self.ended = False
        self._store = store
        self._run = run
        self._count = 0
        # Feeds that read the store, or wait for something to be there.
        self._busy = 0
        self._wake_up: anyio.Event | None = None
        self._all_idle = anyio.Event()

    @asynccontextmanager
    async def open(self, after: str | None) -> AsyncGenerator[Feed]:
        """
        Read all events of all streams, in the order of their commits.

        An event is there as soon as it is durable, and once. What was taken back before the
        reader takes it comes without its words; streams of a kind that is not known are
        passed over.

        Args:
            after: the position of the last event that the reader has; "" is before the first
                event, None after the last one.

        Raises:
            Invalid: ``after`` is no position.
            Conflict: it is of another journal, or past the end of this one.
            StorageError: the store cannot be read.
            Closed: the journal has been left.
            WrongLoop: it was opened in another event loop.
        """
        self.check_home()
        # Counted first: what is committed while the store is asked where it ends is told.
        self._count += 1
        feed = Feed(self)
        try:
            feed.place = await self._place(after)
            yield feed
        finally:
            self._count -= 1
            feed.left = True
            self.wake()

    def tell(self, events: Sequence[Event]) -> None:
        """Wake those who wait: a batch is durable."""
        if self._count:
            self.batches += 1
            if any(e.ref is not None and tag_of(e.data) == "deleted" for e in events):
                self.deletions += 1
            self.wake()

    def wake(self) -> None:
        """Wake those who wait, to look again."""
        if self._wake_up is not None:
            wake_up, self._wake_up = self._wake_up, None
            wake_up.set()

    async def wait(self, batches: int) -> None:
        """Return when more than so many batches were committed, or somebody is to look again."""
        if self.batches == batches and not self.closed:
            if self._wake_up is None:
                self._wake_up = anyio.Event()
            await self._wake_up.wait()

    async def read(self, after: int, limit: int) -> list[PlacedEvent]:
        """Read events after a place."""
        return await self._run(self._store.committed, after, limit)

    def position(self, place: int) -> str:
        """Return what a reader keeps to come back to a place."""
        return f"{place}@{self._store.journal_id}"

    async def close(self, seconds: float) -> None:
        """
        Let no more be read, after those who wait were told what is durable.

        Args:
            seconds: how long they may take.
        """
        self.closed = True
        self.wake()
        with anyio.move_on_after(seconds):
            if self._busy:
                await self._all_idle.wait()
        self.ended = True

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Count a feed that reads or waits; the store is not closed under it."""
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1
            if self.closed and not self._busy:
                self.ended = True
                self._all_idle.set()

    async def _place(self, after: str | None) -> int:
        place = self._parse(after) if after else 0
        if self.ended:
            raise Closed("The hub is closed; open it again.")
        last = await self._run(self._store.last_place)
        if place > last:
            raise Conflict(
                f"The journal ends before the position {shown(after)}: the history was reset. "
                'Forget what you made of it, and begin at the beginning: after="".'
            )
        return last if after is None else place

    def _parse(self, position: object) -> int:
        found = _POSITION.fullmatch(position) if isinstance(position, str) else None
        if found is None:
            raise Invalid(
                f"{shown(position)} is not a position; give one that a feed gave you, "
                '"" for the beginning, or None for from now on.'
            )
        if found[2] != self._store.journal_id:
            raise Conflict(
                f"The position {shown(position)} is of another journal: the database was "
                "replaced or restored. Forget what you made of it, and begin at the "
                'beginning: after="".'
            )
        return int(found[1])


class Feed(AsyncIterator[tuple[str, Event]]):
    """
    Positions and events, one by one.

    It holds one page of them, and reads the next when all of that was taken; the store is
    its queue, so a slow reader costs nothing.

    Args:
        feeds: where it reads.
    """

    __slots__ = ("_deletions", "_feeds", "_limit", "_lock", "_next", "_page", "left", "place")

    def __init__(self, feeds: Feeds) -> None:
        # That of the last event that was taken, or passed over.
        self.place = 0
        self.left = False
        self._feeds = feeds
        self._page: Sequence[PlacedEvent] = ()
        self._next = 0
        self._deletions = feeds.deletions
        self._limit = FEED_PAGE_EVENTS_MAX
        self._lock = anyio.Lock()

    @property
    def position(self) -> str:
        """Where the feed is: give it as ``after`` to go on from here."""
        return self._feeds.position(self.place)

    async def __anext__(self) -> tuple[str, Event]:
        event: Event | None = None
        while event is None:
            if not self._has_next:
                await self._turn_page()
            placed = self._page[self._next]
            event = self._show(placed)
            self._next += 1
            self.place = placed.place
        return self.position, event

    @property
    def _has_next(self) -> bool:
        # What was read before something was taken back may have it still.
        return self._next < len(self._page) and self._deletions == self._feeds.deletions

    def _show(self, placed: PlacedEvent) -> Event | None:
        try:
            return show(self._feeds.streams, placed)
        except msgspec.MsgspecError as error:
            raise StorageError(
                f"The event after the position {self.position} cannot be read; run `hubbub verify`."
            ) from error

    async def _turn_page(self) -> None:
        # Two tasks may share a feed: each event goes to one of them.
        async with self._lock:
            with self._feeds.busy():
                while not self._has_next:
                    await self._look()

    async def _look(self) -> None:
        feeds = self._feeds
        feeds.check_home()
        if self.left or feeds.ended:
            raise Closed("The hub is closed, or the feed was left; go on from the last position.")
        # What is taken back all the time spoils less of a short page.
        spoilt = self._next < len(self._page)
        limit = self._limit // 2 if spoilt else self._limit * 2
        self._limit = min(max(limit, 1), FEED_PAGE_EVENTS_MAX)
        batches, deletions = feeds.batches, feeds.deletions
        found = await feeds.read(self.place, self._limit)
        page = _cut(found)
        if len(page) < len(found):
            # What does not fit was read for nothing: the next time it is not.
            self._limit = len(page) // 2
        self._page, self._next, self._deletions = page, 0, deletions
        if not page:
            if feeds.closed:
                raise Closed("The hub is closing; open it again and go on from the last position.")
            await feeds.wait(batches)


def _cut(placed: list[PlacedEvent]) -> list[PlacedEvent]:
    size = 0
    for count, one in enumerate(placed):
        size += len(one.body)
        if size > FEED_PAGE_BYTES_MAX and count:
            return placed[:count]
    return placed
