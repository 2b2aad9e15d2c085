"""The damage of a file is named by table and page."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import apsw
import pytest

from hubbub.journal.stores.integrity import FILE_FAULTS_MAX, integrity_faults
from hubbub.journal.stores.sqlite import SQLiteStore

PAGE = 4096
EVENTS = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
INSERT INTO event SELECT i, 1, i, 'said', 'ann', NULL, x'7b7d' FROM n
"""
# A page of an index, without an entry.
EMPTY = b"\x0a\0\0\0\0\x10\0\0".ljust(PAGE, b"\0")


@pytest.fixture
def db(tmp_path: Path) -> Path:
    SQLiteStore(tmp_path / "hubbub.db").close()
    return tmp_path / "hubbub.db"


def root_of(db: Path, name: str) -> int:
    with closing(apsw.Connection(str(db))) as connection:
        query = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
        return int(connection.execute(query, (name,)).get)


def test_a_sound_file_has_no_fault(db: Path) -> None:
    assert integrity_faults(db) == []


@pytest.mark.parametrize("name", ["event", "used", "snapshot"])
def test_a_damaged_page_is_named_with_its_table(db: Path, name: str) -> None:
    root = root_of(db, name)
    data = bytearray(db.read_bytes())
    data[(root - 1) * PAGE : root * PAGE] = b"\xa5" * PAGE
    db.write_bytes(data)

    assert f"table {name}, page {root}" in [where for where, _ in integrity_faults(db)]


def test_an_index_without_a_row_is_named(db: Path) -> None:
    with closing(apsw.Connection(str(db))) as connection:
        connection.pragma("writable_schema", True)
        connection.execute("INSERT INTO event VALUES (1, 1, 1, 'said', 'ann', NULL, x'7b7d')")
        connection.execute("UPDATE sqlite_schema SET sql = sql || ' ' WHERE name = 'event_by_seq'")
        connection.execute("DELETE FROM sqlite_schema WHERE name = 'event_by_seq'")
    messages = [what for _, what in integrity_faults(db)]

    assert any("never used" in what for what in messages)


def test_the_list_of_faults_ends(db: Path) -> None:
    with closing(apsw.Connection(str(db))) as connection:
        connection.execute(EVENTS, (2 * FILE_FAULTS_MAX,))
    root, data = root_of(db, "event_by_seq"), bytearray(db.read_bytes())
    data[(root - 1) * PAGE : root * PAGE] = EMPTY
    db.write_bytes(data)

    assert FILE_FAULTS_MAX // 2 < len(integrity_faults(db)) <= FILE_FAULTS_MAX


def test_another_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "noise.db"
    path.write_bytes(b"noise" * 2_000)
    [(where, what)] = integrity_faults(path)

    assert where == "the file"
    assert "not a database" in what
