"""How the tables are used: many streams in one query, and their numbers."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from hubbub.errors import StorageError
from hubbub.journal.stores.contract import Batch
from hubbub.journal.stores.sqlite import SQLiteStore
from tests.journal.tally import record


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hubbub.db"


@pytest.mark.parametrize("most", [1, 2, 3, 4, 5, 6, 7, 100])
def test_streams_too_long_to_be_read_together_are_read_alone(
    path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr("hubbub.journal.stores.sqlite.LOADED_EVENTS_MAX", most)
    store = SQLiteStore(path)
    names = ["room/1", "room/2", "room/3"]
    store.commit(Batch(records=[record(name, seq) for name in names for seq in (1, 2)]))

    with store.reading(names):
        loaded = [store.load(name).bodies for name in names]

    assert loaded == [[record(name, 1).body, record(name, 2).body] for name in names]

    store.close()


def test_what_is_read_together_is_of_one_moment(path: Path) -> None:
    store = SQLiteStore(path)
    store.commit(Batch(records=[record("room/1", 1)]))
    with store.reading():
        before = store.read("room/1", 0, 10)
        store.commit(Batch(records=[record("room/1", 2)]))
        meanwhile = store.read("room/1", 0, 10)

    assert before == meanwhile
    assert len(store.read("room/1", 0, 10)) == 2

    store.close()


def test_the_number_of_a_stream_that_was_not_written_is_forgotten(path: Path) -> None:
    store = SQLiteStore(path)
    with pytest.raises(StorageError):
        store.commit(Batch(records=[record("room/1", 1), record("room/1", 1)]))
    store.commit(Batch(records=[record("room/2", 1)]))
    store.commit(Batch(records=[record("room/1", 1)]))

    assert list(store.streams()) == [("room/1", 1), ("room/2", 1)]
    assert len(store.read("room/1", 0, 10)) == len(store.read("room/2", 0, 10)) == 1

    store.close()


def test_no_more_numbers_are_remembered_than_are_allowed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hubbub.journal.stores.sqlite.NUMBERS_MAX", 2)
    store = SQLiteStore(path)
    names = ["room/1", "room/2", "room/3", "room/1"]
    for at, name in enumerate(names):
        store.commit(Batch(records=[record(name, 1 + names[:at].count(name))]))

    assert list(store.streams()) == [("room/1", 2), ("room/2", 1), ("room/3", 1)]

    store.close()


@pytest.mark.parametrize("streams", [8, 512])
def test_streams_are_looked_up_together_however_many_a_batch_has(path: Path, streams: int) -> None:
    names = [f"room/{number}" for number in range(streams)]
    store = SQLiteStore(path)
    store.commit(Batch(records=[record(name, 1) for name in names]))
    store.close()
    store, statements = SQLiteStore(path), list[str]()

    def noted(cursor: apsw.Cursor, text: str, values: object) -> bool:
        statements.append(text)
        return True

    store._writer.exec_trace = noted
    store.commit(Batch(records=[record(name, 2) for name in names]))
    known = len(statements)
    store.commit(Batch(records=[record(name, 3) for name in names]))

    # Two statements for all streams that it does not know yet.
    assert known - (len(statements) - known) == 2
    assert dict(store.streams()) == dict.fromkeys(names, 3)
    store.close()


def test_of_too_many_numbers_only_the_oldest_are_forgotten(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hubbub.journal.stores.sqlite.NUMBERS_MAX", 4)
    store = SQLiteStore(path)
    for number in range(6):
        store.commit(Batch(records=[record(f"room/{number}", 1)]))

    assert list(store._numbers) == [f"room/{number}" for number in range(1, 6)]
    store.close()
