"""Reading all that a store has, page after page; every store does it alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hubbub.journal.stores.contract import (
    Batch,
    PlacedEvent,
    Record,
    Snapshot,
    Stale,
    Store,
    Used,
)
from tests.journal.stores.kinds import STORES, store_of
from tests.journal.tally import NOON, record

# Names in the order of their code points, which is the order of their bytes.
NAMES = ["room/1", "room/2", "room/B", "room/a", "room/é", "room/\uffee", "room/\U0001f44b"]


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with store_of(request.param, tmp_path, request) as store:
        yield store


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


# As they were committed


def test_events_of_all_streams_come_as_they_were_committed(store: Store) -> None:
    one = [record("room/b", 1), record("room/a", 1), record("room/b", 2)]
    other = [record("room/a", 2)]
    store.commit(Batch(records=one))
    store.commit(Batch(records=other))

    found = store.committed(0, 10)

    assert [placed.body for placed in found] == [each.body for each in [*one, *other]]
    assert [placed.place for placed in found] == [1, 2, 3, 4]
    assert store.committed(1, 2) == found[1:3]
    assert store.committed(4, 9) == []


def test_the_last_place_is_that_of_the_newest_event(store: Store) -> None:
    places = [store.last_place()]
    for seq in (1, 2):
        store.commit(Batch(records=[record("room/1", seq)]))
        places.append(store.last_place())

    assert places == [0, 1, 2]


def test_what_was_not_committed_takes_no_place(store: Store) -> None:
    store.commit(Batch(records=[record("room/1", 1)]))
    with pytest.raises(Stale):
        store.commit(Batch(records=[record("room/2", 1), record("room/1", 7)]))
    store.commit(Batch(records=[record("room/1", 2)]))

    bodies = [record("room/1", seq).body for seq in (1, 2)]
    assert store.committed(0, 9) == [
        PlacedEvent(1, bodies[0], False),
        PlacedEvent(2, bodies[1], False),
    ]


def test_what_was_taken_back_is_marked_though_it_was_superseded(store: Store) -> None:
    first = [record("room/1", 1), record("room/1", 2, "edited", ref=1), record("room/2", 1)]
    store.commit(Batch(records=first, superseded=[("room/1", 2)]))
    before = [placed.taken_back for placed in store.committed(0, 9)]
    store.commit(Batch(records=[record("room/1", 3, "deleted", ref=1)]))

    assert before == [False, False, False]
    assert [placed.taken_back for placed in store.committed(0, 9)] == [True, True, False, True]


def test_names_come_in_order_between_two_names(store: Store) -> None:
    store.commit(Batch(records=[record(name, 1) for name in ["user/z", *reversed(NAMES)]]))

    assert store.names("room/", "room0", 10) == NAMES
    assert store.names("room/1", "room/a", 10) == NAMES[1:3]
    assert store.names("", "user/z", 2) == NAMES[:2]
    assert store.names("zebra", "zoo", 10) == []
