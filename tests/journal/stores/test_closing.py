from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from random import Random

import apsw
import pytest

from hubbub.errors import Conflict, StorageError
from hubbub.journal.stores.closing import abandon, close_all, take_all
from hubbub.journal.stores.contract import Batch
from hubbub.journal.stores.database_file import DatabaseFile
from hubbub.journal.stores.sqlite import SQLiteStore
from hubbub.testing.simulation.disk import Disk
from tests.journal.tally import record


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hubbub.db"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with Disk(Random(0), tmp_path) as disk:
        yield disk


def test_a_store_that_cannot_be_closed_is_unlocked_and_loses_nothing(
    path: Path, disk: Disk
) -> None:
    store = SQLiteStore(path)
    store.commit(Batch([record("room/1", 1)]))
    store.read("room/1", 0, 9)
    disk.fail(1.0)
    with pytest.raises(StorageError, match="Nothing committed is lost"):
        store.close()
    disk.fail(0.0)

    again = SQLiteStore(path)
    assert again.read("room/1", 0, 9) == [record("room/1", 1).body]
    again.close()


def test_all_connections_are_closed_before_the_file_is_unlocked(path: Path, disk: Disk) -> None:
    file = DatabaseFile(path)
    connections = [apsw.Connection(str(path)) for _ in range(3)]
    connections[0].pragma("journal_mode", "wal")
    connections[0].execute("CREATE TABLE note (text TEXT)")
    for connection in connections:
        connection.execute("SELECT * FROM note").fetchall()
    disk.lose_power()
    with pytest.raises(StorageError, match="power is gone"):
        close_all(connections, file)
    disk.restore()

    for connection in connections:
        with pytest.raises(apsw.ConnectionClosedError):
            connection.pragma("user_version")
    DatabaseFile(path).release()


@pytest.mark.parametrize("after", range(40, 56, 2))
def test_a_store_that_cannot_be_opened_to_the_end_is_unlocked(
    path: Path, disk: Disk, after: int
) -> None:
    disk.lose_power(after=after)
    with pytest.raises(StorageError):
        SQLiteStore(path)
    disk.restore()

    SQLiteStore(path).close()


def test_what_was_given_up_is_unlocked(path: Path) -> None:
    file = DatabaseFile(path)
    with pytest.raises(Conflict):
        DatabaseFile(path)
    abandon(apsw.Connection(str(path)), file)

    DatabaseFile(path).release()


def test_all_items_are_taken_or_none() -> None:
    queue: SimpleQueue[int] = SimpleQueue()
    queue.put(1)
    queue.put(2)
    with pytest.raises(Empty):
        take_all(queue, 3, 0.01)
    queue.put(3)

    assert sorted(take_all(queue, 3, 0.01)) == [1, 2, 3]
