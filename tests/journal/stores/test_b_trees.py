"""Rows are decoded as SQLite wrote them, also past damaged pages."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import apsw
import pytest

from hubbub.journal.stores.b_trees import BTrees, Row
from hubbub.journal.stores.pages import open_pages

PAGE = 4096
ROWS = 2_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "some.db"


def make(path: Path, *statements: str) -> int:
    """Make a database; return the root of the table ``t``."""
    with closing(apsw.Connection(str(path))) as connection:
        for statement in statements:
            connection.execute(statement)
        query = "SELECT rootpage FROM sqlite_schema WHERE name = 't'"
        return int(connection.execute(query).get)


def rows_of(path: Path, root: int) -> tuple[list[Row], set[int]]:
    with open_pages(path) as pages:
        trees = BTrees(pages)
        return list(trees.walk(root)), trees.damaged


def many(path: Path) -> int:
    return make(
        path,
        "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
        " INSERT INTO t SELECT i, 'row ' || i FROM n",
    )


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("NULL", None),
        ("0", 0),
        ("1", 1),
        ("-1", -1),
        ("127", 127),
        ("-129", -129),
        ("8388607", 8388607),
        ("-2147483648", -(1 << 31)),
        ("140737488355327", (1 << 47) - 1),
        ("-9223372036854775808", -(1 << 63)),
        ("1.5", 1.5),
        ("'häubbub'", "häubbub"),
        ("''", ""),
        ("x'00ff'", b"\0\xff"),
    ],
)
def test_every_value_is_decoded(path: Path, sql: str, value: object) -> None:
    statement = "INSERT INTO t VALUES (?)".replace("?", sql)
    root = make(path, "CREATE TABLE t (a)", statement)

    assert rows_of(path, root) == ([(1, value)], set())


@pytest.mark.parametrize("size", [10, 4_060, 4_061, 4_062, 5_000, 50_000, 1_000_000])
@pytest.mark.parametrize("table", ["(a INTEGER PRIMARY KEY, b)", "(b PRIMARY KEY) WITHOUT ROWID"])
def test_a_long_value_continues_on_other_pages(path: Path, table: str, size: int) -> None:
    root = make(
        path,
        f"CREATE TABLE t {table}",
        "INSERT INTO t (b) VALUES (hex(zeroblob(?)))".replace("?", str(size // 2)),
    )
    [row], damaged = rows_of(path, root)

    assert row[-1] == "0" * (size // 2 * 2)
    assert damaged == set()


def test_a_tree_of_many_pages_is_walked_in_order(path: Path) -> None:
    rows, damaged = rows_of(path, many(path))

    assert rows == [(number, None, f"row {number}") for number in range(1, ROWS + 1)]
    assert damaged == set()


def test_a_table_without_rowids_has_rows_on_every_level(path: Path) -> None:
    root = make(
        path,
        "CREATE TABLE t (a PRIMARY KEY, b) WITHOUT ROWID",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
        " INSERT INTO t SELECT i, 'row ' || i FROM n",
    )
    rows, _ = rows_of(path, root)

    assert sorted(rows) == [(number, f"row {number}") for number in range(1, ROWS + 1)]


def test_a_lost_page_costs_its_rows_alone(path: Path) -> None:
    root = many(path)
    lost = root + 2
    write(path, lost, bytes(PAGE))
    rows, damaged = rows_of(path, root)

    assert damaged == {lost}
    assert ROWS - 600 < len(rows) < ROWS


def test_below_a_lost_page_the_rows_are_found(path: Path) -> None:
    root = many(path)
    write(path, root, bytes(PAGE))
    with open_pages(path) as pages:
        trees = BTrees(pages)
        reached, stray = list(trees.walk(root)), list(trees.stray())

    assert reached == []
    assert {row for row in stray if row[1] is None} == {
        (number, None, f"row {number}") for number in range(1, ROWS + 1)
    }


def test_free_pages_are_left_alone(path: Path) -> None:
    root = many(path)
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute("DELETE FROM t WHERE a <= 1500")
    with open_pages(path) as pages:
        stray = [row for row in BTrees(pages).stray() if row[1] is None]

    assert rows_of(path, root)[0] == sorted(stray)
    assert len(stray) == 500


def test_a_damaged_rowid_costs_its_row_alone(path: Path) -> None:
    root = make(
        path,
        "CREATE TABLE t (a INTEGER PRIMARY KEY, b)",
        "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd'), (5, 'e')",
    )
    page = bytearray(path.read_bytes()[(root - 1) * PAGE : root * PAGE])
    place = page.index(b"c") - 4
    assert page[place] == 3
    page[place] = 77
    write(path, root, bytes(page))
    rows, damaged = rows_of(path, root)

    assert [row[0] for row in rows] == [1, 2, 4, 5]
    assert damaged == {root}


def test_a_circle_of_pages_ends(path: Path) -> None:
    root = many(path)
    page = bytearray(path.read_bytes()[(root - 1) * PAGE : root * PAGE])
    # The last child is the root itself.
    page[8:12] = root.to_bytes(4, "big")
    write(path, root, bytes(page))
    rows, damaged = rows_of(path, root)

    assert root in damaged
    assert len(rows) < ROWS


def write(path: Path, number: int, page: bytes) -> None:
    with path.open("r+b") as file:
        file.seek((number - 1) * PAGE)
        file.write(page)
