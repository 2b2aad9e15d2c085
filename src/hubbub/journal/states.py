"""
What decisions look at: a bounded cache of folded states and of what else they asked for.

Three kinds of thing are kept, each in a cell: a stream's state, a message with what
refers to it (a thread), and a used key. A cell that a call or an unfinished commit
needs is pinned; of the others the least recently used go first. Keys have a bound of
their own, so that they do not evict states. A stream that is not here has no events
on their way to the store, so loading it meets no race.

How large a cell is was measured when it was loaded, or when a snapshot of it was taken;
what it has grown by since then is not counted, for that would cost each event.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from ..errors import NotFound
from ..ratelimit import RateLimit
from ..shown import shown
from .cells import CELL_BYTES, Cell, Name, StreamCell, ThreadCell, UsedCell
from .command import Call, NotLoaded
from .event import Event, State

__all__ = [
    "EMPTY_STATES_MAX",
    "LIMITS_MAX",
    "USED_KEYS_MAX",
    "Cell",
    "Name",
    "States",
    "StreamCell",
    "ThreadCell",
    "UsedCell",
]


StateT = TypeVar("StateT", bound=State)

# Rate limits that are remembered.
LIMITS_MAX = 100_000
# Idempotency keys that are remembered; the others are read when they come again.
USED_KEYS_MAX = 1_000
# States of streams that have no events yet, and that no call needs.
EMPTY_STATES_MAX = 1_000


class States:
    """
    The cells, as one decision sees them.

    Args:
        size_max: how many unpinned cells are kept.
        new_limit: makes a rate limit for a name.
        bytes_max: about how many bytes of them.
    """

    def __init__(
        self, size_max: int, new_limit: Callable[[str], RateLimit], bytes_max: int = 1 << 28
    ) -> None:
        self._size_max = size_max
        self._bytes_max = bytes_max
        self._new_limit = new_limit
        self._cells: OrderedDict[Name, Cell] = OrderedDict()
        self._used: OrderedDict[Name, Cell] = OrderedDict()
        # Those that had no event when they were loaded, the first first.
        self._empty: OrderedDict[Name, None] = OrderedDict()
        self._bytes = 0
        self._limits: OrderedDict[tuple[str, str], RateLimit] = OrderedDict()
        self._call: Call[Any] | None = None
        # Grows whenever something is forgotten: what was being loaded then may be old.
        self.epoch = 0
        self.now: datetime
        self.monotonic = 0.0

    # What a decision may ask.

    def of(self, kind: type[StateT], stream: str) -> StateT:
        """
        Return a stream's state; before its first event that is an empty one.

        Raises:
            NotLoaded: decide again when it is in memory.
        """
        state = self.cell(stream).state
        if not isinstance(state, kind):
            raise NotFound(f"{shown(stream)} is not a stream of this kind.")
        return state

    def need(self, streams: Iterable[str]) -> None:
        """
        Have several streams in memory, which are loaded together if they are not.

        Raises:
            NotLoaded: decide again when all of them are.
        """
        if missing := [stream for stream in streams if self.missing(stream)]:
            raise NotLoaded(*missing)

    def event(self, stream: str, seq: int) -> Event:
        """
        Return one event.

        Raises:
            NotFound: the stream has no such seq.
            NotLoaded: decide again when it is in memory.
        """
        if not 1 <= seq <= self.cell(stream).head:
            raise NotFound(f"There is no event {seq} in this stream.")
        return self.thread(stream, seq)[0]

    def about(self, stream: str, seq: int) -> list[Event]:
        """Return the events whose ref is a seq; raises as :meth:`event` does."""
        self.event(stream, seq)
        return self.thread(stream, seq)[1:]

    def charge(self, what: str, user: str) -> None:
        """
        Count one use against a user's rate limit.

        A decision does this last, when all that it reads or writes is in memory: to
        be decided again would be to be charged again.

        Raises:
            RateLimited: nothing was counted.
        """
        limit = self._limits.get((what, user))
        if limit is None:
            self._forget_some_limits()
            limit = self._limits[what, user] = self._new_limit(what)
        limit.charge(self.monotonic)

    # What the committer and the loader do.

    def bind(self, call: Call[Any]) -> None:
        """Pin what is touched from now on for this call."""
        self._call = call

    def cell(self, stream: str) -> StreamCell:
        """Return a stream's cell, pinned for the present call, or raise NotLoaded."""
        found = self._pinned(stream, self._cells)
        assert isinstance(found, StreamCell)
        return found

    def used(self, by: str, key: str) -> UsedCell:
        """Return a key's cell, pinned for the present call, or raise NotLoaded."""
        found = self._pinned((by, key, ""), self._used)
        assert isinstance(found, UsedCell)
        return found

    def thread(self, stream: str, seq: int) -> list[Event]:
        """Return an event and those about it, pinned, or raise NotLoaded."""
        found = self._pinned((stream, seq), self._cells)
        assert isinstance(found, ThreadCell)
        return found.events

    def applied(self, event: Event) -> Sequence[int]:
        """
        Tell an event to the thread that it belongs to, if that is in memory.

        Returns:
            the seqs of the events about the same one that count no more.
        """
        if event.ref is not None:
            thread = self._cells.get((event.stream, event.ref))
            if isinstance(thread, ThreadCell):
                return thread.take(event)
        return ()

    def get(self, name: Name) -> Cell | None:
        """Return a cell if it is in memory."""
        return self._of(name).get(name)

    def put(self, cell: Cell) -> None:
        """Keep a cell."""
        name, cells = cell.name, self._of(cell.name)
        if (before := cells.get(name)) is not None:
            self._bytes -= before.size
        cells[name] = cell
        self._bytes += cell.size
        if isinstance(cell, StreamCell) and not cell.head:
            self._empty[name] = None

    def resize(self, cell: Cell, size: int) -> None:
        """Note how large what is in a cell is, in bytes."""
        self._bytes += CELL_BYTES + size - cell.size
        cell.size = CELL_BYTES + size

    def trim(self) -> None:
        """Let the least recently used cells go if there are too many, or they are too large."""
        self._trim(self._used, len(self._used) - USED_KEYS_MAX)
        self._trim(self._cells, len(self._cells) - self._size_max)
        for _ in range(len(self._empty) - EMPTY_STATES_MAX):
            name, _ = self._empty.popitem(last=False)
            cell = self._cells.get(name)
            if not isinstance(cell, StreamCell) or cell.head:
                continue
            if cell.pins:
                self._empty[name] = None
            else:
                self._drop(name)
        while self._bytes > self._bytes_max and self._trim(self._cells, 16):
            pass

    def _trim(self, cells: OrderedDict[Name, Cell], excess: int) -> bool:
        """Drop so many that are not pinned, if there are; False if there is none to drop."""
        if excess <= 0:
            return False
        names = [c.name for c in _first(cells, excess + 16) if not c.pins][:excess]
        for name in names:
            self._drop(name)
        return bool(names)

    def _drop(self, name: Name) -> None:
        if (cell := self._of(name).pop(name, None)) is not None:
            self._bytes -= cell.size
            self._empty.pop(name, None)

    def _of(self, name: Name) -> OrderedDict[Name, Cell]:
        return self._used if isinstance(name, tuple) and len(name) == 3 else self._cells

    def pin(self, call: Call[Any], names: Iterable[Name]) -> None:
        """Keep what a call waited for until it is done; otherwise it might wait for ever."""
        for name in names:
            if (cell := self.get(name)) is not None:
                cell.pins += 1
                call.pins.append(cell)

    def release(self, call: Call[Any]) -> None:
        """Let go of what a call needed."""
        for cell in call.pins:
            cell.pins -= 1
        call.pins.clear()

    def missing(self, name: Name) -> bool:
        """Tell whether something must be loaded before a decision can look at it."""
        cell = self._cells.get(name)
        if cell is None:
            cell = self._used.get(name)
        return cell is None or not cell.loaded

    def forget(self, cells: Iterable[Cell]) -> None:
        """Drop cells whose events did not reach the store, and their threads."""
        self.epoch += 1
        gone = {cell.name for cell in cells}
        for name in [
            n for n in self._cells if n in gone or (isinstance(n, tuple) and n[0] in gone)
        ]:
            self._drop(name)
        for name in gone:
            self._drop(name)

    def forget_limits(self, users: Iterable[str]) -> None:
        """Drop the rate limits of users who were charged for what was not kept."""
        gone = set(users)
        for what_user in [key for key in self._limits if key[1] in gone]:
            del self._limits[what_user]

    def _pinned(self, name: Name, cells: OrderedDict[Name, Cell]) -> Cell:
        cell = cells.get(name)
        if cell is None or not cell.loaded:
            raise NotLoaded(name)
        cells.move_to_end(name)
        assert self._call is not None
        cell.pins += 1
        self._call.pins.append(cell)
        return cell

    def _forget_some_limits(self) -> None:
        if len(self._limits) < LIMITS_MAX:
            return
        for name in [n for n, limit in self._limits.items() if limit.idle(self.monotonic)]:
            del self._limits[name]
        # If none is idle the oldest go, a part at once: looking for idle ones is dear.
        for _ in range(len(self._limits) - LIMITS_MAX * 3 // 4):
            self._limits.popitem(last=False)


def _first(cells: OrderedDict[Name, Cell], count: int) -> list[Cell]:
    found = []
    for cell in cells.values():
        found.append(cell)
        if len(found) == count:
            break
    return found
