"""Stores in trouble: real ones, with a disk that is slow, stuck or failing under them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from anyio import to_thread

from hubbub.errors import StorageError
from hubbub.journal.stores.contract import Batch, Loaded
from hubbub.journal.stores.memory import MemoryStore
from hubbub.journal.stores.sqlite import SQLiteStore

# More than any test lasts: a test that fails must end all the same.
STUCK_SECONDS_MAX = 15.0


class CountingStore(MemoryStore):
    """Notes how many records each commit brings, and what is read."""

    def __init__(self) -> None:
        super().__init__()
        self.commits: list[int] = []
        self.loads: list[str] = []

    def commit(self, batch: Batch) -> None:
        super().commit(batch)
        self.commits.append(len(batch.records))

    def load(self, stream: str) -> Loaded:
        self.loads.append(stream)
        return super().load(stream)


class PatchyStore(CountingStore):
    """Some streams cannot be read."""

    def __init__(self) -> None:
        super().__init__()
        self.unreadable: set[str] = set()

    def load(self, stream: str) -> Loaded:
        if stream in self.unreadable:
            raise StorageError("This part of the disk is gone.")
        return super().load(stream)


class Gate:
    """A gate for a worker thread, which the test opens."""

    def __init__(self, *, is_open: bool = True) -> None:
        self._open = threading.Event()
        self._reached = threading.Event()
        if is_open:
            self._open.set()

    def shut(self) -> None:
        self._reached.clear()
        self._open.clear()

    def open(self) -> None:
        self._open.set()

    def go_through(self) -> None:
        """Wait here, in the worker thread, while it is shut."""
        if not self._open.is_set():
            self._reached.set()
            assert self._open.wait(STUCK_SECONDS_MAX), "nobody opened the gate"

    async def reached(self) -> None:
        """Return when a thread stands before it."""
        await to_thread.run_sync(self.wait_until_reached)

    def wait_until_reached(self) -> None:
        assert self._reached.wait(STUCK_SECONDS_MAX), "nobody came to the gate"


class GatedStore(CountingStore):
    """Its commits, or its reads, stop at a gate."""

    blocking = True

    def __init__(self) -> None:
        super().__init__()
        self.before_commit = Gate()
        # What was written is there to be read, but nobody has been told.
        self.after_commit = Gate()
        self.before_load = Gate()
        self.before_read = Gate()
        self.before_catch_up = Gate()
        self.before_search = Gate()

    def commit(self, batch: Batch) -> None:
        self.before_commit.go_through()
        super().commit(batch)
        self.after_commit.go_through()

    def load(self, stream: str) -> Loaded:
        self.before_load.go_through()
        return super().load(stream)

    def read(self, stream: str, after: int, limit: int) -> list[bytes]:
        self.before_read.go_through()
        return super().read(stream, after, limit)

    def search(self, stream: str, words: Sequence[str], before: int, limit: int) -> list[int]:
        self.before_search.go_through()
        return super().search(stream, words, before, limit)

    def catch_up(self) -> bool:
        self.before_catch_up.go_through()
        return super().catch_up()

    def open_all(self) -> None:
        for gate in vars(self).values():
            if isinstance(gate, Gate):
                gate.open()


class FailingStore(SQLiteStore):
    """Some of its next commits fail."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.failures = 0

    def commit(self, batch: Batch) -> None:
        if self.failures:
            self.failures -= 1
            raise StorageError("The disk is on fire.")
        super().commit(batch)


class AwayStore(MemoryStore):
    """It fails as a database does that nobody can reach, while it cannot be read or written."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = self.writes = True

    def commit(self, batch: Batch) -> None:
        if not self.writes:
            raise StorageError("The database failed: it cannot be reached.")
        super().commit(batch)

    def load(self, stream: str) -> Loaded:
        if not self.reads:
            raise StorageError("The database failed: it cannot be reached.")
        return super().load(stream)


class HeldStore(SQLiteStore):
    """Its transactions stop just before they are durable."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.before_commit = Gate()
        self._writer.set_commit_hook(self._go_through)

    def _go_through(self) -> bool:
        self.before_commit.go_through()
        return False  # True would roll it back


class FullStore(SQLiteStore):
    """A database on a disk that can be full: SQLite itself refuses to let the file grow."""

    def fill_up(self) -> None:
        """Leave only the room in the file's last pages."""
        self._writer.pragma("max_page_count", self._writer.pragma("page_count"))

    def make_room(self) -> None:
        self._writer.pragma("max_page_count", 1_000_000)
