"""Reading all that a store has, page after page; every store does it alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hubbub.journal.stores.contract import Batch, Record, Snapshot, Store, Used
from hubbub.journal.stores.sqlite import SQLiteStore
from tests.journal.tally import NOON, memory_store, record

# Names in the order of their code points, which is the order of their bytes.
NAMES = ["room/1", "room/2", "room/B", "room/a", "room/é", "room/\uffee", "room/\U0001f44b"]


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    store: Store = memory_store()
    if request.param == "sqlite":
        store = SQLiteStore(tmp_path / "hubbub.db")
    yield store
    store.close()


def snapshot(stream: str) -> Snapshot:
    return Snapshot(stream, 1, NOON, b"{}")


def used(by: str, key: str) -> Used:
    return Used(by, key, b"print", (("room/1", 1), ("user/ann", 2)))


def test_an_empty_store_has_nothing(store: Store) -> None:
    assert store.records("room/1", 0, 10) == []
    assert store.snapshots("", 10) == []
    assert store.keys(("", ""), 10) == []


def test_records_come_as_they_were_written_after_a_seq(store: Store) -> None:
    records = [record("room/1", 1), record("room/1", 2, "edited", by="bob", ref=1)]
    records += [Record("room/1", 3, "deleted", "ann", 2, b"{}")]
    store.commit(Batch(records=[*records, record("room/2", 1)]))

    assert store.records("room/1", 0, 10) == records
    assert store.records("room/1", 1, 1) == [records[1]]
    assert store.records("room/1", 3, 10) == []


def test_snapshots_come_in_the_order_of_their_streams(store: Store) -> None:
    store.commit(Batch(snapshots=[snapshot(name) for name in reversed(NAMES)]))

    assert store.snapshots("", 100) == [snapshot(name) for name in sorted(NAMES)]


def test_snapshots_come_in_pages(store: Store) -> None:
    store.commit(Batch(snapshots=[snapshot(name) for name in NAMES]))
    first = store.snapshots("", 4)

    assert store.snapshots(first[-1].stream, 4) == [snapshot(name) for name in NAMES[4:]]


def test_keys_come_by_user_and_in_pages(store: Store) -> None:
    keys = [used("ann", "k1"), used("ann", "k2"), used("bob", "a"), used("eve", "k0")]
    store.commit(Batch(used=keys[::-1]))
    first = store.keys(("", ""), 2)

    assert first == keys[:2]
    assert store.keys((first[-1].by, first[-1].key), 10) == keys[2:]
