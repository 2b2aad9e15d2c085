from __future__ import annotations

import pytest

from hubbub.errors import StorageError
from hubbub.journal.stores.contract import PlacedEvent, Snapshot, Used
from hubbub.journal.stores.rows import (
    lines_of,
    parts_of,
    placed_of,
    snapshots_of,
    used_of,
    used_row,
)
from tests.journal.tally import NOON


def test_events_come_a_line_each() -> None:
    assert lines_of(b"{}\n[]") == [b"{}", b"[]"]
    assert lines_of(None) == []


def test_events_come_with_their_places() -> None:
    assert placed_of("3 17", "01", b"{}\n[]") == [
        PlacedEvent(3, b"{}", False),
        PlacedEvent(17, b"[]", True),
    ]
    assert placed_of(None, None, None) == []


def test_an_event_of_several_lines_is_damaged() -> None:
    with pytest.raises(StorageError, match="verify"):
        placed_of("1 2", "00", b"{}\n{}\n{}")


def test_a_snapshot_is_made_of_its_parts() -> None:
    at = NOON.isoformat()
    rows = [("room/1", 7, at, b"{}"), ("room/1", 7, at, b"[1]"), ("room/2", 9, at, b"{}")]

    assert snapshots_of(rows) == [
        Snapshot("room/1", 7, NOON, b"{}", (b"[1]",)),
        Snapshot("room/2", 9, NOON, b"{}"),
    ]


def test_the_parts_of_a_snapshot_are_rows() -> None:
    at = NOON.isoformat()
    snapshot = Snapshot("room/1", 7, NOON, b"{}", (b"[1]",))

    assert parts_of(snapshot) == [
        ("room/1", 7, at, 0, b"{}"),
        ("room/1", 7, at, 1, b"[1]"),
    ]


def test_a_used_key_is_a_row() -> None:
    used = Used("ann", "k", b"print", (("room/1", 7), ("room/2", 9)), 60)

    assert used_of(*used_row(used)) == used
