"""The server's machine: what a crash leaves, and how its disk fails."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Protocol, Self

from ..stores import MemoryStore, SQLiteStore, Store
from ..testing import FaultyStore, StoreFault
from ..testing.simulation import Disk
from ..testing.simulation.threads import outside_of_event_loop

__all__ = ["Machine", "MemoryMachine", "SQLiteMachine"]

# The chance that a call of a disk that fails fails.
FAILING_CHANCE = 0.5
# The same for each of SQLite's calls; a transaction makes several.
SQLITE_FAILING_CHANCE = 0.1
# The calls that need space on the disk.
WRITES = ("commit", "check", "catch_up", "expire")


class Machine(Protocol):
    """A disk with a store; it is the disk of a :class:`Host`."""

    def open(self) -> Store:
        """Open the store for one life of the server; called in a thread."""

    def look(self) -> Store:
        """Return the store, to look at while the server is up or after it was closed."""

    def fail(self, *, failing: bool) -> None:
        """Let some calls fail from now on, or none any more."""

    def fill(self, *, full: bool) -> None:
        """Let the disk be full from now on, or not any more."""

    def lose_power(self) -> None:
        """Refuse everything to the life that is over."""

    def restore(self) -> None:
        """Be there again, with what is left."""


class MemoryMachine:
    """
    A disk that keeps what was committed, whatever crashes.

    Args:
        random: draws the journal's id, and which calls fail.
        store: what several machines share, instead of a disk of its own.
    """

    def __init__(self, random: Random, store: MemoryStore | None = None) -> None:
        self._disk = store or MemoryStore(random)
        self._random = random
        self._failing = self._full = self._parted = False
        # The store as the newest life of the server sees it.
        self._store = self._new_life()

    def open(self) -> Store:
        """Open the store for one life of the server."""
        self._store = self._new_life()
        return self._store

    def look(self) -> Store:
        """Return the store."""
        return self._disk

    def fail(self, *, failing: bool) -> None:
        """Let some calls fail from now on, or none any more."""
        self._failing = failing

    def fill(self, *, full: bool) -> None:
        """Let the disk be full from now on, or not any more."""
        self._full = full
        if not full:
            self._store.free()

    def part(self, *, parted: bool) -> None:
        """Let all calls fail from now on, as if the store could not be reached, or none."""
        self._parted = parted

    def lose_power(self) -> None:
        """Refuse everything to the life that is over."""
        self._store.crash()

    def restore(self) -> None:
        """Do nothing: what was committed is there."""

    def _new_life(self) -> FaultyStore:
        return FaultyStore(self._disk, self._fault)

    def _fault(self, operation: str, number: int) -> StoreFault | None:
        if self._parted:
            return StoreFault("error")
        if self._full and operation in WRITES:
            # Deferred work fails for once; a store is full for its commits.
            return StoreFault("full" if operation in ("commit", "check") else "error")
        if self._failing and self._random.random() < FAILING_CHANCE:
            return StoreFault("error")
        return None


class SQLiteMachine:
    """
    A SQLite database on a disk that keeps only what was synced.

    Args:
        random: draws what a power loss keeps, and which calls fail.
        directory: an empty directory.
    """

    def __init__(self, random: Random, directory: Path) -> None:
        self._random = random
        self._path = str(directory / "hubbub.db")
        self._disk = Disk(random, directory)
        self._store: SQLiteStore | None = None

    def __enter__(self) -> Self:
        self._disk.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        # The hub has closed the store.
        self._disk.__exit__(None, None, None)

    def open(self) -> Store:
        """Open the store for one life of the server."""
        self._store = SQLiteStore(self._path, self._random)
        return self._store

    def look(self) -> Store:
        """Return the store of the newest life."""
        assert self._store is not None
        return self._store

    def fail(self, *, failing: bool) -> None:
        """Let some calls fail from now on, or none any more."""
        self._disk.fail(SQLITE_FAILING_CHANCE if failing else 0.0)

    def fill(self, *, full: bool) -> None:
        """Let the disk be full from now on, or not any more."""
        if full:
            self._disk.fill()
        else:
            self._disk.free()

    def lose_power(self) -> None:
        """Refuse everything to the life that is over; what was not synced may be gone."""
        with outside_of_event_loop():
            self._disk.lose_power()

    def restore(self) -> None:
        """Be there again, with what is left."""
        with outside_of_event_loop():
            self._disk.restore()
