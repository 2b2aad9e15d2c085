"""The server's machine: what a crash leaves, and how its disk fails."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any, Protocol, Self, cast

from ..errors import StorageError
from ..stores import MemoryStore, SQLiteStore, Store
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
    """

    def __init__(self, random: Random) -> None:
        self._store = MemoryStore(random)
        self._random = random
        self._failing = self._full = False
        self._life = 0

    def open(self) -> Store:
        """Open the store for one life of the server."""
        return cast(Store, _Handle(self, self._store, self._life))

    def look(self) -> Store:
        """Return the store."""
        return self._store

    def fail(self, *, failing: bool) -> None:
        """Let some calls fail from now on, or none any more."""
        self._failing = failing

    def fill(self, *, full: bool) -> None:
        """Let the disk be full from now on, or not any more."""
        self._full = full

    def lose_power(self) -> None:
        """Refuse everything to the life that is over."""
        self._life += 1

    def restore(self) -> None:
        """Do nothing: what was committed is there."""

    def check(self, life: int, call: str) -> None:
        """
        Take note of a call of the store.

        Raises:
            StorageError: the caller has crashed, or the disk fails.
        """
        if life != self._life:
            raise StorageError("The machine has crashed.")
        if self._full and call in WRITES:
            raise StorageError("The disk is full.")
        if self._failing and self._random.random() < FAILING_CHANCE:
            raise StorageError("The disk fails.")


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


class _Handle:
    """The store, as one life of the server sees it."""

    # As of a disk, its calls run in threads.
    blocking = True

    def __init__(self, machine: MemoryMachine, store: MemoryStore, life: int) -> None:
        self.journal_id = store.journal_id
        self.secret = store.secret
        self._machine = machine
        self._store = store
        self._life = life

    def close(self) -> None:
        """Do nothing: the next life opens the same store."""

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        def call(*args: Any) -> Any:
            self._machine.check(self._life, name)
            return method(*args)

        return call
