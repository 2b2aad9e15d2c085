"""Databases of earlier versions; what is refused is in test_sqlite.py."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from hubbub.journal.stores.contract import Batch, Used
from hubbub.journal.stores.migrations import SCHEMA_VERSION
from hubbub.journal.stores.opening import APPLICATION_ID, open_writer
from hubbub.journal.stores.sqlite import SQLiteStore
from tests.journal.tally import record

NOON = 1_767_268_800
NOON_TEXT = "2026-01-01T12:00:00.123456Z"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hubbub.db"


def make_version_2(path: Path, *, events: bool = True) -> None:
    """Write a database as the version before keys had a time."""
    store = SQLiteStore(path)
    if events:
        body = b'{"at":"%s"}' % NOON_TEXT.encode()
        store.commit(Batch([record("room/1", 1), record("room/1", 2)]))
        store._writer.execute("UPDATE event SET body = ? WHERE seq = 2", (body,))
    store.commit(Batch(used=[Used("ann", "key", b"print", (("room/1", 1),), 5)]))
    store._writer.execute("DROP INDEX used_by_at; ALTER TABLE used DROP COLUMN at")
    store._writer.execute("DROP INDEX event_deleted")
    store._writer.pragma("user_version", 2)
    store.close()


def test_a_database_of_the_version_before_is_brought_up_to_date(path: Path) -> None:
    make_version_2(path)

    for _ in range(2):
        store = SQLiteStore(path)
        used = store.used("ann", "key")
        store.commit(Batch(used=[Used("ann", f"key {_}", b"", (), 7)]))
        store.close()

        assert used == Used("ann", "key", b"print", (("room/1", 1),), NOON)


def test_keys_without_any_event_are_old(path: Path) -> None:
    make_version_2(path, events=False)
    store = SQLiteStore(path)

    assert store.used("ann", "key") == Used("ann", "key", b"print", (("room/1", 1),), 0)
    store.close()


def test_a_new_database_is_known_as_ours(path: Path) -> None:
    writer = open_writer(path, path)

    assert writer.pragma("application_id") == APPLICATION_ID
    assert writer.pragma("user_version") == SCHEMA_VERSION
    assert writer.pragma("synchronous") == 2
    writer.close()


def test_a_new_database_and_a_migrated_one_have_the_same_tables(tmp_path: Path) -> None:
    make_version_2(tmp_path / "old.db")
    found = []
    for name in ("old.db", "new.db"):
        SQLiteStore(tmp_path / name).close()
        database = apsw.Connection(str(tmp_path / name))
        found.append(
            (
                database.execute("SELECT type, name FROM sqlite_schema ORDER BY name").fetchall(),
                [row[1:] for row in database.execute("PRAGMA table_info(used)")],
            )
        )
        database.close()

    assert found[0] == found[1]
