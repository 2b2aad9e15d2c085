"""Snapshots that are written part by part: a part of the contract of every store."""

from __future__ import annotations

import msgspec

from hubbub.journal.stores.contract import Batch, Snapshot, Store
from tests.journal.stores import test_contract
from tests.journal.tally import NOON, record

store, stream = test_contract.store, test_contract.stream


def test_a_snapshot_written_part_by_part_counts_when_it_is_complete(
    store: Store, stream: str
) -> None:
    older = Snapshot(stream, 1, NOON, b"{}", (b"[1]", b"[2]", b"[3]"))
    newer = Snapshot(stream, 3, NOON, b'{"new":1}', (b"[4]", b"[5]"))
    store.commit(Batch(records=[record(stream, seq) for seq in (1, 2, 3)], snapshots=[older]))
    found = []
    for number in (2, 1, 0):
        store.keep_part(newer, number)
        loaded = store.load(stream)
        found.append((loaded.snapshot, len(loaded.bodies)))

    assert found == [(older, 2), (older, 2), (newer, 0)]
    assert [one for one in store.snapshots("", 10_000) if one.stream == stream] == [newer]


def test_a_snapshot_that_was_begun_is_overtaken(store: Store, stream: str) -> None:
    begun = Snapshot(stream, 1, NOON, b"{}", (b"[1]", b"[2]", b"[3]"))
    newer = Snapshot(stream, 2, NOON, b"{}", (b"[4]", b"[5]"))
    store.commit(Batch(records=[record(stream, seq) for seq in (1, 2)]))
    for number in (3, 2):
        store.keep_part(begun, number)
    none = store.load(stream).snapshot
    for number in (2, 1, 0):
        store.keep_part(newer, number)

    assert none is None
    assert store.load(stream).snapshot == newer
    for number in (3, 2, 1, 0):
        store.keep_part(msgspec.structs.replace(newer, seq=3, parts=begun.parts), number)
    loaded = store.load(stream).snapshot
    assert loaded is not None
    assert loaded.parts == begun.parts
