from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import pytest

from hubbub.errors import Conflict, StorageError
from hubbub.journal.stores import sqlite
from hubbub.journal.stores.contract import Batch, Snapshot, Used
from hubbub.journal.stores.sqlite import CLOSE_SECONDS_MAX, SQLiteStore
from hubbub.journal.stores.text_index import INDEX_EVENTS_MAX
from tests.journal.tally import NOON, record
from tests.journal.troubled import FullStore, HeldStore

EVER = 1 << 62

OPEN_IT = """
import sys
from hubbub.errors import Conflict
from hubbub.journal.stores.sqlite import SQLiteStore

try:
    SQLiteStore(sys.argv[1]).close()
except Conflict:
    sys.exit(42)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hubbub.db"


def open_elsewhere(path: Path) -> int:
    """Open a database in another process; return 0, or 42 if that was a Conflict."""
    command = [sys.executable, "-c", OPEN_IT, str(path)]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(command, env=env, timeout=15, check=False).returncode


# One at a time


def test_a_database_that_is_open_cannot_be_opened_again(path: Path) -> None:
    store = SQLiteStore(path)

    with pytest.raises(Conflict, match="already open"):
        SQLiteStore(path)

    store.close()


def test_a_database_that_is_open_cannot_be_opened_by_another_process(path: Path) -> None:
    store = SQLiteStore(path)
    refused = open_elsewhere(path)
    store.close()

    assert (refused, open_elsewhere(path)) == (42, 0)


def test_a_refused_opening_leaves_the_open_one_alone(path: Path) -> None:
    store = SQLiteStore(path)
    with pytest.raises(Conflict):
        SQLiteStore(path)

    store.commit(Batch(records=[record("room/1", 1)]))
    with pytest.raises(Conflict):
        SQLiteStore(path)
    store.close()


def test_a_closed_database_may_be_opened_again(path: Path) -> None:
    for _ in range(3):
        SQLiteStore(path).close()


def test_two_databases_may_be_open(tmp_path: Path) -> None:
    one, other = SQLiteStore(tmp_path / "one.db"), SQLiteStore(tmp_path / "other.db")

    assert one.journal_id != other.journal_id

    one.close()
    other.close()


# What is no database of ours


def write_text(path: Path) -> None:
    path.write_text("This is a letter to my aunt.\n" * 100)


def write_truncated(path: Path) -> None:
    SQLiteStore(path).close()
    path.write_bytes(path.read_bytes()[:5_000])


def write_others(user_version: int) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        others = apsw.Connection(str(path))
        others.execute("CREATE TABLE recipe (name TEXT)")
        others.pragma("user_version", user_version)
        others.close()

    return write


def make_directory(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    "make",
    [
        write_text,
        write_truncated,
        write_others(0),
        write_others(1),
        write_others(9),
        make_directory,
    ],
    ids=[
        "text",
        "truncated",
        "another's",
        "another's, of version 1",
        "a later version",
        "directory",
    ],
)
def test_a_wrong_file_is_refused_and_not_held(path: Path, make: Callable[[Path], None]) -> None:
    make(path)

    for _ in range(2):
        with pytest.raises(StorageError, match=r"hubbub\.db"):
            SQLiteStore(path)


@pytest.mark.parametrize("version", [0, 1, 9])
def test_anothers_database_is_left_as_it_was(path: Path, version: int) -> None:
    write_others(version)(path)
    before = path.read_bytes()

    with pytest.raises(StorageError):
        SQLiteStore(path)

    assert path.read_bytes() == before


def test_a_place_where_nothing_can_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StorageError):
        SQLiteStore(tmp_path / "file" / "hubbub.db")


# What lasts


def test_everything_is_there_when_it_is_opened_again(path: Path) -> None:
    store = SQLiteStore(path)
    used = Used("ann", "key", b"0123456789abcdef", (("room/1", 2), ("user/ann", 1)))
    snapshot = Snapshot("room/1", 1, NOON, b"{}")
    records = [record("room/1", 1), record("room/1", 2, ref=1), record("user/ann", 1)]
    store.commit(Batch(records, [used], [snapshot]))
    known = store.journal_id, store.secret
    store.close()

    again = SQLiteStore(path)

    assert (again.journal_id, again.secret) == known
    assert again.read("room/1", 0, 10) == [records[0].body, records[1].body]
    assert again.about("room/1", 1, 1) == [records[1].body]
    assert again.used("ann", "key") == used
    assert again.load("room/1").snapshot == snapshot
    assert list(again.streams()) == [("room/1", 2), ("user/ann", 1)]
    again.close()


def test_what_was_not_indexed_before_closing_is_indexed_after(path: Path) -> None:
    store = SQLiteStore(path)
    store.commit(Batch(records=[record("room/1", 1, text="apple")]))
    store.close()

    again = SQLiteStore(path)
    before = again.search("room/1", ["apple"], EVER, 10)
    while again.catch_up():
        pass

    assert before == []
    assert again.search("room/1", ["apple"], EVER, 10) == [1]
    again.close()


def test_what_was_indexed_before_closing_is_not_indexed_twice(path: Path) -> None:
    store = SQLiteStore(path)
    store.commit(Batch(records=[record("room/1", 1, text="apple")]))
    while store.catch_up():
        pass
    store.close()

    again = SQLiteStore(path)

    assert again.catch_up() is False
    assert again.search("room/1", ["apple"], EVER, 10) == [1]
    again.close()


def test_the_index_catches_up_part_by_part(path: Path) -> None:
    store = SQLiteStore(path)
    records = [record("room/1", seq, text="apple") for seq in range(1, 2 * INDEX_EVENTS_MAX + 2)]
    store.commit(Batch(records=records))

    found, more = [], True
    while more:
        more = store.catch_up()
        found.append(len(store.search("room/1", ["apple"], EVER, EVER)))

    assert found == [INDEX_EVENTS_MAX, 2 * INDEX_EVENTS_MAX, 2 * INDEX_EVENTS_MAX + 1]
    store.close()


# Closing


def test_closing_waits_for_who_is_writing(path: Path) -> None:
    store = HeldStore(path)
    store.before_commit.shut()
    writer = threading.Thread(target=store.commit, args=[Batch([record("room/1", 1)])])
    writer.start()
    store.before_commit.wait_until_reached()
    closer = threading.Thread(target=store.close)
    closer.start()
    store.before_commit.open()
    closer.join(CLOSE_SECONDS_MAX)
    writer.join()

    again = SQLiteStore(path)
    assert again.read("room/1", 0, 9) == [record("room/1", 1).body]
    again.close()


def test_closing_does_not_wait_for_ever_and_may_be_repeated(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "CLOSE_SECONDS_MAX", 0.01)
    store = HeldStore(path)
    store.read("room/1", 0, 1)
    store.before_commit.shut()
    writer = threading.Thread(target=store.commit, args=[Batch([record("room/1", 1)])])
    writer.start()
    store.before_commit.wait_until_reached()
    with pytest.raises(StorageError, match="does not answer"):
        store.close()
    with pytest.raises(Conflict):
        SQLiteStore(path)
    store.before_commit.open()
    writer.join()
    store.close()

    SQLiteStore(path).close()


# Transactions


@pytest.mark.parametrize(
    "spoilt",
    [
        Batch([record("room/1", 2), record("room/1", 1)]),
        Batch([record("room/1", 2)], [Used("ann", "key", b"", ())]),
    ],
    ids=["an event that is there", "a key that is there"],
)
def test_of_a_batch_that_fails_nothing_is_kept(path: Path, spoilt: Batch) -> None:
    store = SQLiteStore(path)
    store.commit(Batch([record("room/1", 1)], [Used("ann", "key", b"first", ())]))

    with pytest.raises(StorageError):
        store.commit(spoilt)

    assert store.read("room/1", 0, 10) == [record("room/1", 1).body]
    assert store.used("ann", "key") == Used("ann", "key", b"first", ())
    store.commit(Batch([record("room/1", 2)]))
    store.close()


def test_a_full_disk_refuses_a_batch_and_room_lets_it_pass(path: Path) -> None:
    store = FullStore(path)
    store.commit(Batch([record("room/1", 1)]))
    store.fill_up()
    batch = Batch([record("room/1", seq, text="x" * 500) for seq in range(2, 50)])

    with pytest.raises(StorageError, match="full"):
        store.commit(batch)
    with pytest.raises(StorageError, match="full"):
        store.commit(batch)
    refused = store.read("room/1", 0, 100)
    store.make_room()
    store.commit(batch)

    assert len(refused) == 1
    assert len(store.read("room/1", 0, 100)) == 49
    store.close()


def test_readers_in_other_threads_see_whole_batches_only(path: Path) -> None:
    store, sizes, done = SQLiteStore(path), set[int](), threading.Event()

    def read() -> None:
        while not done.is_set():
            sizes.add(len(store.read("room/1", 0, 10_000)) % 10)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for first in range(1, 1_000, 10):
        store.commit(Batch([record("room/1", seq) for seq in range(first, first + 10)]))
    done.set()
    for reader in readers:
        reader.join()

    assert sizes == {0}
    store.close()


@pytest.mark.parametrize(
    "use",
    [
        lambda store: store.commit(Batch([record("room/1", 1)])),
        lambda store: store.load("room/1"),
        lambda store: store.read("room/1", 0, 1),
        lambda store: store.about("room/1", 0, 1),
        lambda store: store.page("room/1", "message", None, None, 1),
        lambda store: store.count("room/1", "message", 0, "ann", 1),
        lambda store: store.search("room/1", ["apple"], EVER, 1),
        lambda store: store.catch_up(),
        lambda store: list(store.streams()),
    ],
    ids=["commit", "load", "read", "about", "page", "count", "search", "catch_up", "streams"],
)
def test_whatever_goes_wrong_below_is_a_storage_error(path: Path, use: Any) -> None:
    store = SQLiteStore(path)
    vandal = apsw.Connection(str(path))
    vandal.execute("DROP TABLE event")
    vandal.close()

    with pytest.raises(StorageError) as error:
        use(store)

    # The message is for clients, the notes are for the log.
    assert "hubbub.db" not in error.value.message
    assert "hubbub.db" in "".join(error.value.__notes__)
    store.close()


def test_what_cannot_be_read_together_is_read_one_by_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, before = SQLiteStore(path), SQLiteStore._snapshots

    def damaged(self: SQLiteStore, streams: Any) -> Any:
        if "room/2" in streams:
            raise apsw.CorruptError("database disk image is malformed")
        return before(self, streams)

    store.commit(Batch([record("room/1", 1), record("room/2", 1)]))
    monkeypatch.setattr(SQLiteStore, "_snapshots", damaged)
    with store.reading(["room/1", "room/2"]):
        loaded = store.load("room/1")
        with pytest.raises(StorageError, match="damaged"):
            store.load("room/2")

    assert loaded.bodies == [record("room/1", 1).body]
    store.close()
