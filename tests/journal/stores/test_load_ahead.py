from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hubbub.journal.stores import sqlite
from hubbub.journal.stores.contract import Batch, Loaded, Snapshot
from hubbub.journal.stores.sqlite import LOADED_EVENTS_MAX, SQLiteStore
from tests.journal.tally import NOON, record


def filled(path: Path, streams: int, events: int) -> tuple[SQLiteStore, list[str]]:
    store = SQLiteStore(path / "hubbub.db")
    names = [f"room/{number}" for number in range(streams)]
    store.commit(Batch([record(name, seq + 1) for name in names for seq in range(events)]))
    return store, names


def counted(store: SQLiteStore, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note each query."""
    queries, query = list[str](), store._all

    def noted(text: str, *values: Any) -> Any:
        queries.append(text)
        return query(text, *values)

    monkeypatch.setattr(store, "_all", noted)
    return queries


def load(store: SQLiteStore, names: list[str]) -> list[Loaded]:
    with store.reading(names):
        return [store.load(name) for name in names]


@pytest.mark.parametrize("streams", [2, 20, 500])
def test_many_streams_take_as_many_queries_as_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, streams: int
) -> None:
    store, names = filled(tmp_path, streams, 2)
    queries = counted(store, monkeypatch)
    loaded = load(store, names)
    store.close()

    assert [len(one.bodies) for one in loaded] == [2] * streams
    assert len(queries) == 3


def test_a_query_reads_many_streams_and_a_bounded_number_of_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "LOADED_EVENTS_MAX", 50)
    store, names = filled(tmp_path, 100, 5)
    queries = counted(store, monkeypatch)
    loaded = load(store, names)
    store.close()

    assert [len(one.bodies) for one in loaded] == [5] * 100
    assert len(queries) == 2 + 100 * 5 // 50
    assert LOADED_EVENTS_MAX > 50


def test_streams_are_loaded_in_any_order_and_once(tmp_path: Path) -> None:
    store, names = filled(tmp_path, 5, 2)
    snapshot = Snapshot(names[3], 1, NOON, b"{}")
    store.commit(Batch(snapshots=[snapshot]))
    with store.reading(names):
        loaded = {name: store.load(name) for name in (*reversed(names), names[0], "room/none")}
    store.close()

    assert [len(loaded[name].bodies) for name in names] == [2, 2, 2, 1, 2]
    assert loaded[names[3]].snapshot == snapshot
    assert loaded["room/none"] == Loaded(None, [])


def test_a_short_stream_alone_takes_two_queries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, names = filled(tmp_path, 1, 2)
    queries = counted(store, monkeypatch)
    loaded = load(store, names)
    store.close()

    assert len(loaded[0].bodies) == 2
    assert len(queries) == 2
