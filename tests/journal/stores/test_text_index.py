from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from hubbub.journal.stores import text_index
from hubbub.journal.stores.contract import Batch
from hubbub.journal.stores.migrations import SCHEMA_VERSION
from hubbub.journal.stores.sqlite import SQLiteStore
from hubbub.journal.stores.text_index import INDEX_BYTES_MAX, query_of
from tests.journal.tally import record

EVER = 1 << 62

# As databases of version 2 had it, before there were versions of the index.
FIRST_INDEX = """
DROP TABLE found;
DROP INDEX event_deleted;
DROP INDEX used_by_at;
ALTER TABLE used DROP COLUMN at;
CREATE VIRTUAL TABLE found USING fts5 (
    stream, text, content='', detail=column, tokenize='ascii'
);
DELETE FROM meta WHERE name = 'index_version';
INSERT OR REPLACE INTO meta VALUES ('indexed', '99');
PRAGMA user_version = 2;
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hubbub.db"


def test_an_index_of_older_rules_is_made_anew_part_by_part(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SQLiteStore(path)
    store.commit(Batch([record("room/1", seq, text="我家在上海东边。") for seq in (1, 2, 3)]))
    store.close()
    old = apsw.Connection(str(path))
    old.execute(FIRST_INDEX)
    old.close()
    monkeypatch.setattr(text_index, "INDEX_EVENTS_MAX", 2)

    again = SQLiteStore(path)
    found, more = [again.search("room/1", ["上海"], EVER, 9)], True
    while more:
        more = again.catch_up()
        found.append(again.search("room/1", ["上海"], EVER, 9))
    again.close()

    assert found == [[], [2, 1], [3, 2, 1]]
    # A program that knows only the older rules refuses it from now on.
    assert apsw.Connection(str(path)).pragma("user_version") == SCHEMA_VERSION


def test_an_index_of_these_rules_is_kept(path: Path) -> None:
    store = SQLiteStore(path)
    store.commit(Batch([record("room/1", 1, text="apple")]))
    while store.catch_up():
        pass
    store.close()

    again = SQLiteStore(path)

    assert again.search("room/1", ["apple"], EVER, 9) == [1]
    again.close()


def test_large_texts_are_indexed_a_few_at_a_time(path: Path) -> None:
    store = SQLiteStore(path)
    large = "apple " * (INDEX_BYTES_MAX // 12)
    store.commit(Batch([record("room/1", seq, text=large) for seq in range(1, 7)]))

    found, more = [], True
    while more:
        more = store.catch_up()
        found.append(len(store.search("room/1", ["apple"], EVER, 9)))
    store.close()

    assert found == [2, 4, 6]


@pytest.mark.parametrize("text", ["\U0001f600" * 4_000, "\u6771" * 4_000, "\ufdfa" * 4_000])
def test_a_part_has_few_of_the_longest_messages(path: Path, text: str) -> None:
    store = SQLiteStore(path)
    store.commit(Batch([record("room/1", seq, text=text) for seq in range(1, 10)]))

    store.catch_up()

    # Each takes milliseconds, and a commit waits for all of them.
    assert store._indexed <= 3
    store.close()


def test_only_what_makes_the_index_may_be_lost_with_the_power(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, seen = SQLiteStore(path), list[object]()
    index_some = text_index.index_some

    def looked_at(writer: apsw.Connection, after: int) -> tuple[int, bool]:
        seen.append(writer.pragma("synchronous"))
        return index_some(writer, after)

    monkeypatch.setattr(text_index, "index_some", looked_at)
    store.commit(Batch([record("room/1", 1, text="apple")]))
    store.catch_up()
    seen.append(store._writer.pragma("synchronous"))
    store.close()

    normal, full = 1, 2
    assert seen == [normal, full]


def test_texts_that_were_superseded_are_passed_over(path: Path) -> None:
    store = SQLiteStore(path)
    store.commit(Batch([record("room/1", 1, text="apple")]))
    for seq in range(2, 9):
        superseded = [("room/1", seq - 1)] if seq > 2 else []
        edited = record("room/1", seq, "edited", ref=1, text=f"plum{seq} " * INDEX_BYTES_MAX)
        store.commit(Batch([edited], superseded=superseded))

    assert store.catch_up() is False
    assert store.search("room/1", ["plum7"], EVER, 9) == []
    assert store.search("room/1", ["plum8"], EVER, 9) == [1]
    store.close()


def test_a_text_larger_than_a_part_is_indexed_by_itself(path: Path) -> None:
    store = SQLiteStore(path)
    store.commit(Batch([record("room/1", 1, text="apple " * INDEX_BYTES_MAX)]))
    while store.catch_up():
        pass

    assert store.search("room/1", ["apple"], EVER, 9) == [1]
    store.close()


def test_a_query_is_for_one_stream() -> None:
    assert query_of(12, ["a", "上海"]) == '"12·a" * AND "12·上海" *'
