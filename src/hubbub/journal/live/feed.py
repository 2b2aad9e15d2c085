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

# Events that a feed reads from the store at once, and so the most that it holds.
FEED_PAGE_EVENTS_MAX = 512
# Bytes of the events that a feed holds; it has at least one, however large that is.
FEED_PAGE_BYTES_MAX = 1 << 20
# How often a feed looks for events that other nodes have committed, at least.
FEED_LOOK_SECONDS = 1.0

# A place in the journal, and the journal's id.
_POSITION = re.compile(r"([0-9]{1,18})@([0-9A-Za-z-]{16,64})")


class _Run(Protocol):
    def __call__(self, work: Callable[..., R], *args: object) -> Coroutine[Any, Any, R]:
        """Run a function that reads the store, in a thread if necessary."""


class Feeds:
    """
    Lets any number of feeds read a journal; it keeps no events for them.

    Args:
        store: the store to read.
        streams: the known kinds of stream.
        run: reads the store.
        check_home: raises WrongLoop in another event loop than the journal's.
    """

    def __init__(
        self, store: Store, streams: Streams, run: _Run, check_home: Callable[[], None]
    ) -> None:
        self.streams = streams
        self.check_home = check_home
        # The number of committed batches, and of deletions, while there was a feed.
        self.batches = 0
        self.deletions = 0
        # True if nothing more will be committed.
        self.closed = False
        # True if the store can no longer be read.
        self.ended = False
        self._store = store
        self._run = run
        self._count = 0
        # Feeds that read the store, or wait for events.
        self._busy = 0
        self._wake_up: anyio.Event | None = None
        self._all_idle = anyio.Event()

    @asynccontextmanager
    async def open(self, after: str | None) -> AsyncGenerator[Feed]:
        """
        Read all events of all streams, in the order of their commits.

        Each event comes once, as soon as it is durable. An event that is deleted before the
        reader gets it comes without its text; streams of unknown kinds are
        skipped.

        Args:
            after: the position of the last event that the reader has; "" is before the first
                event, None after the last event.

        Raises:
            Invalid: ``after`` is not a position.
            Conflict: it belongs to another journal, or is past the end of this one.
            StorageError: the store cannot be read.
            Closed: the journal is closed.
            WrongLoop: the journal was opened in another event loop.
        """
        self.check_home()
        # Count first, so that commits while the store looks up its end are not missed.
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
        """Wake the waiting feeds: a batch is durable."""
        if self._count:
            self.batches += 1
            if any(e.ref is not None and tag_of(type(e.data)) == "deleted" for e in events):
                self.deletions += 1
            self.wake()

    def hear(self, bodies: Sequence[bytes]) -> None:
        """Wake the waiting feeds: another node has committed these events, among others."""
        if self._count:
            self.batches += 1
            if any(b'"type":"deleted"' in body for body in bodies):
                self.deletions += 1
            self.wake()

    def wake(self) -> None:
        """Wake the waiting feeds to check again."""
        if self._wake_up is not None:
            wake_up, self._wake_up = self._wake_up, None
            wake_up.set()

    async def wait(self, batches: int) -> None:
        """Return after a further batch was committed, or when the feed has to check again."""
        if self.batches == batches and not self.closed:
            if self._wake_up is None:
                self._wake_up = anyio.Event()
            # A notice of another node's commit can get lost.
            with anyio.move_on_after(FEED_LOOK_SECONDS if self._store.shared else None):
                await self._wake_up.wait()

    async def read(self, after: int, limit: int) -> list[PlacedEvent]:
        """Return the events after a place."""
        return await self._run(self._store.committed, after, limit)

    def position(self, place: int) -> str:
        """Return the position of a place, for a reader to store."""
        return f"{place}@{self._store.journal_id}"

    async def close(self, seconds: float) -> None:
        """
        Close the feeds, after they have got all durable events.

        Args:
            seconds: how long that can take.
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
                'Discard what you derived from it, and start again with after="".'
            )
        return last if after is None else place

    def _parse(self, position: object) -> int:
        found = _POSITION.fullmatch(position) if isinstance(position, str) else None
        if found is None:
            raise Invalid(
                f"{shown(position)} is not a position; use one that a feed gave you, "
                '"" for the beginning, or None for new events.'
            )
        if found[2] != self._store.journal_id:
            raise Conflict(
                f"The position {shown(position)} belongs to another journal: the database was "
                "replaced or restored. Discard what you derived from it, and start again "
                'with after="".'
            )
        return int(found[1])


class Feed(AsyncIterator[tuple[str, Event]]):
    """
    Iterates over positions and events.

    It holds one page of events, and reads the next page when all of them were taken; the
    store is its queue, so a slow reader costs nothing.

    Args:
        feeds: the feeds of the journal.
    """

    __slots__ = ("_deletions", "_feeds", "_limit", "_lock", "_next", "_page", "left", "place")

    def __init__(self, feeds: Feeds) -> None:
        # The position of the last event that was taken, or skipped.
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
        """The current position: pass it as ``after`` to continue from here."""
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
        # A page read before a deletion may still have the deleted text.
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
            raise Closed("The hub or the feed is closed; continue from the last position.")
        # A short page is less likely to be outdated by frequent deletions.
        spoilt = self._next < len(self._page)
        limit = self._limit // 2 if spoilt else self._limit * 2
        self._limit = min(max(limit, 1), FEED_PAGE_EVENTS_MAX)
        batches, deletions = feeds.batches, feeds.deletions
        found = await feeds.read(self.place, self._limit)
        page = _cut(found)
        if len(page) < len(found):
            # Reading what does not fit is wasted: read less the next time.
            self._limit = len(page) // 2
        self._page, self._next, self._deletions = page, 0, deletions
        if not page:
            if feeds.closed:
                raise Closed(
                    "The hub is closing; open it again and continue from the last position."
                )
            await feeds.wait(batches)


def _cut(placed: list[PlacedEvent]) -> list[PlacedEvent]:
    size = 0
    for count, one in enumerate(placed):
        size += len(one.body)
        if size > FEED_PAGE_BYTES_MAX and count:
            return placed[:count]
    return placed
