"""Reads of one moment."""

from __future__ import annotations

import psycopg
import pytest

from hubbub.errors import NotFound, StorageError
from hubbub.journal.stores.contract import Batch
from hubbub.journal.stores.postgres import reader
from hubbub.journal.stores.postgres.reader import TAIL_MAX
from hubbub.journal.stores.postgres.store import PostgresStore
from tests.journal.tally import record


def test_what_is_read_together_is_of_one_moment(store: PostgresStore, other: PostgresStore) -> None:
    store.commit(Batch([record("room/1", 1)]))
    with store.reading():
        before = len(store.read("room/1", 0, 9))
        other.commit(Batch([record("room/1", 2)]))
        after = len(store.read("room/1", 0, 9))

    assert (before, after) == (1, 1)
    assert len(store.read("room/1", 0, 9)) == 2


def test_an_error_in_the_middle_keeps_the_connection(store: PostgresStore) -> None:
    pids = set[int]()
    for _ in range(2):
        with pytest.raises(NotFound):
            fail_while_reading(store, pids)
        with pytest.raises(StorageError):
            store.read("room/1", 1 << 70, 1)

    assert len(pids) == 1


def fail_while_reading(store: PostgresStore, pids: set[int]) -> None:
    with store.reading():
        store.read("room/1", 0, 1)
        pids.add(store._own.reader.raw.info.backend_pid)
        raise NotFound("There is no such thing.")


def test_a_search_among_other_reads_leaves_them_as_they_were(store: PostgresStore) -> None:
    store.commit(Batch([record("room/1", 1, text="hello")]))
    with store.reading():
        assert store.search("room/1", ["hel"], 9, 9) == [1]
        assert len(store.read("room/1", 0, 9)) == 1
        settings = store._own.reader.raw.execute("SHOW enable_bitmapscan").fetchall()

    assert settings == [("off",)]


def test_long_streams_are_loaded_in_parts(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert TAIL_MAX >= 1_000
    monkeypatch.setattr(reader, "TAIL_MAX", 3)
    names = ["room/1", "room/2"]
    lengths = dict(zip(names, [2, 8], strict=True))
    store.commit(Batch([record(n, seq) for n in names for seq in range(1, lengths[n] + 1)]))
    with store.reading(names):
        loaded = {name: len(store.load(name).bodies) for name in names}

    assert loaded == lengths


def test_a_short_stream_is_loaded_with_one_read(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.commit(Batch([record("room/1", 1)]))
    read, reads = store.read, list[int]()

    def counted(stream: str, after: int, limit: int) -> list[bytes]:
        reads.append(after)
        return read(stream, after, limit)

    monkeypatch.setattr(store, "read", counted)

    assert len(store.load("room/1").bodies) == 1
    assert reads == [0]


def test_a_word_with_the_marks_of_a_query_is_a_word(store: PostgresStore) -> None:
    store.commit(Batch([record("room/1", 1, text="hello")]))
    for word in ("'", "\\", "a'b\\", "' | 'hello", ":*", "!"):
        assert store.search("room/1", [word], 9, 9) == []


def test_heads_are_those_of_streams_with_events(
    store: PostgresStore, database: psycopg.Connection
) -> None:
    store.commit(Batch([record("room/1", 1), record("room/1", 2)]))
    database.execute("INSERT INTO stream (name) VALUES ('room/2')")

    assert store.heads(["room/1", "room/2", "room/3"]) == {"room/1": 2}
    assert list(store.streams()) == [("room/1", 2)]
