"""The server's machine: what a crash leaves, and how its disk fails."""

from __future__ import annotations

from random import Random
from typing import Any, cast

from ..errors import StorageError
from ..stores import MemoryStore, Store

__all__ = ["Machine"]

# The chance that a call of a disk that fails fails.
FAILING_CHANCE = 0.5
# What needs space on the disk.
WRITES = ("commit", "check", "catch_up", "expire")


class Machine:
    """
    A disk that keeps what was committed, whatever crashes.

    Args:
        random: draws the journal's id, and which calls fail.

    Attributes:
        failing: whether the disk returns errors now; you can set it.
        full: whether the disk is full now; you can set it.
        commits: how many transactions were committed.
        refused: how many calls have failed.
    """

    def __init__(self, random: Random) -> None:
        self.failing = False
        self.full = False
        self.commits = 0
        self.refused = 0
        self.store = MemoryStore(random)
        self._random = random
        self._life = 0

    def open(self) -> Store:
        """Open the store for one life of the server."""
        return cast(Store, _Handle(self, self._life))

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
        if self.full and call in WRITES:
            self.refused += 1
            raise StorageError("The disk is full.")
        if self.failing and self._random.random() < FAILING_CHANCE:
            self.refused += 1
            raise StorageError("The disk fails.")
        if call == "commit":
            self.commits += 1


class _Handle:
    """The store, as one life of the server sees it."""

    # As of a disk, its calls run in threads.
    blocking = True

    def __init__(self, machine: Machine, life: int) -> None:
        self.journal_id = machine.store.journal_id
        self.secret = machine.store.secret
        self._machine = machine
        self._life = life

    def close(self) -> None:
        """Do nothing: the next life opens the same store."""

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._machine.store, name)

        def call(*args: Any) -> Any:
            self._machine.check(self._life, name)
            return method(*args)

        return call
