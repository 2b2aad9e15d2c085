"""Snapshots that several nodes write."""

from __future__ import annotations

from hubbub.journal.stores.contract import Batch, Snapshot
from hubbub.journal.stores.postgres.store import PostgresStore
from hubbub.journal.stores.sharing import Wanted
from tests.journal.tally import NOON, record


def snapshot(seq: int, *parts: bytes) -> Snapshot:
    return Snapshot("room/1", seq, NOON, b'{"seq":%d}' % seq, parts)


def test_the_newest_snapshot_of_a_stream_stays(store: PostgresStore, other: PostgresStore) -> None:
    store.commit(Batch([record("room/1", seq) for seq in range(1, 5)]))
    found = []
    for node, kept in (
        (store, snapshot(2, b"a", b"b")),
        (other, snapshot(4, b"c")),
        (store, snapshot(3, b"d", b"e")),
        (other, snapshot(4, b"f", b"g")),
    ):
        node.keep([kept])
        found.append(store.load("room/1").snapshot)

    newest = snapshot(4, b"c")
    assert found == [snapshot(2, b"a", b"b"), newest, newest, newest]
    assert store.snapshots("", 9) == [newest]


def test_several_snapshots_of_one_stream_are_the_newest(store: PostgresStore) -> None:
    store.keep([snapshot(3), snapshot(1, b"a"), snapshot(2)])

    assert store.load("room/1").snapshot == snapshot(3)


def test_a_hold_does_not_write_snapshots_and_a_commit_without_one_does(
    store: PostgresStore,
) -> None:
    store.hold(Wanted({"room/1": 0})).commit(Batch([record("room/1", 1)], snapshots=[snapshot(1)]))
    before = store.load("room/1").snapshot
    store.commit(Batch([record("room/1", 2)], snapshots=[snapshot(2)]))

    assert before is None
    assert store.load("room/1").snapshot == snapshot(2)
