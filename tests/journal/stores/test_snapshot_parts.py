from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from hubbub.journal.stores import schema
from hubbub.journal.stores.contract import Snapshot
from hubbub.journal.stores.snapshot_parts import OUTDATED_PARTS_MAX, write_part, write_snapshot
from tests.journal.tally import NOON

PARTS = 9


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[apsw.Connection]:
    connection = apsw.Connection(str(tmp_path / "hubbub.db"))
    connection.execute(schema.SCHEMA)
    yield connection
    connection.close()


def snapshot(seq: int, parts: int = PARTS) -> Snapshot:
    return Snapshot("board/1", seq, NOON, b"{}", (b"[]",) * parts)


def count(writer: apsw.Connection, seq: int) -> int:
    [(rows,)] = writer.execute("SELECT count(*) FROM snapshot WHERE seq = ?", (seq,))
    return int(rows)


def test_a_part_removes_few_rows_however_large_the_snapshot_before_was(
    writer: apsw.Connection,
) -> None:
    write_snapshot(writer, snapshot(1, 100))
    removed = []
    for seq in range(2, 8):
        for number in range(PARTS, -1, -1):
            before = count(writer, 1)
            write_part(writer, snapshot(seq), number)
            removed.append(before - count(writer, 1))

    assert max(removed) == OUTDATED_PARTS_MAX
    assert count(writer, 1) == 0


def test_no_more_than_two_snapshots_are_kept(writer: apsw.Connection) -> None:
    most = 0
    for seq in range(1, 10):
        write_snapshot(writer, snapshot(seq))
        [(rows,)] = writer.execute("SELECT count(*) FROM snapshot")
        most = max(most, int(rows))

    assert most <= 2 * (PARTS + 1)


def test_parts_that_a_killed_process_left_are_cut(writer: apsw.Connection) -> None:
    write_part(writer, snapshot(1, 5), 5)
    write_snapshot(writer, snapshot(1, 3))

    assert count(writer, 1) == 4
