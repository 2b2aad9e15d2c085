"""The conditions of a batch, and the expiry of keys; the same for every store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hubbub.errors import StorageError
from hubbub.journal.stores import memory, sqlite
from hubbub.journal.stores.contract import Batch, Stale, Store, Used
from hubbub.journal.stores.postgres import store as postgres
from hubbub.journal.stores.sqlite import SQLiteStore
from tests.journal.stores.kinds import STORES, store_of
from tests.journal.tally import record

NAMES = ["room/1", "room/2"]


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with store_of(request.param, tmp_path, request) as store:
        yield store


# Heads


@pytest.mark.parametrize("seqs", [[2], [1, 3], [1, 1], [2, 1], [1, 2, 4]])
def test_a_gap_is_refused_and_nothing_is_kept(store: Store, seqs: list[int]) -> None:
    records = [record("room/2", 1), *[record("room/1", seq) for seq in seqs]]
    with pytest.raises(Stale):
        store.commit(Batch(records, [Used("ann", "key", b"print", ())]))

    assert store.read("room/1", 0, 9) == store.read("room/2", 0, 9) == []
    assert store.used("ann", "key") is None


@pytest.mark.parametrize("seq", [1, 3])
def test_a_batch_begins_where_the_stream_ends(store: Store, seq: int) -> None:
    store.commit(Batch([record("room/1", 1)]))
    with pytest.raises(Stale):
        store.commit(Batch([record("room/1", seq)]))
    store.commit(Batch([record("room/1", 2)]))

    assert len(store.read("room/1", 0, 9)) == 2


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(NAMES), st.integers(1, 5)), min_size=1, max_size=4),
        max_size=6,
    )
)
def test_streams_never_have_gaps_whatever_is_written(
    store: Store, batches: list[list[tuple[str, int]]]
) -> None:
    heads = {stream: len(store.read(stream, 0, 9_999)) for stream in NAMES}
    for batch in batches:
        after = dict(heads)
        fits = True
        for stream, ahead in batch:
            # Most of them fit.
            seq = after[stream] + (ahead if ahead < 3 else 1)
            fits = fits and seq == after[stream] + 1
            after[stream] = seq
        counts = dict(heads)
        records = []
        for stream, ahead in batch:
            counts[stream] += ahead if ahead < 3 else 1
            records.append(record(stream, counts[stream]))
        try:
            store.commit(Batch(records))
        except Stale:
            assert not fits
        else:
            assert fits
            heads = after

    assert {stream: len(store.read(stream, 0, 9_999)) for stream in NAMES} == heads


def test_another_writer_is_noticed(tmp_path: Path) -> None:
    import apsw  # noqa: PLC0415

    store = SQLiteStore(tmp_path / "hubbub.db")
    store.commit(Batch([record("room/1", 1)]))
    other = apsw.Connection(str(tmp_path / "hubbub.db"))
    other.execute(
        "INSERT INTO event (stream, seq, type, by, body) VALUES (1, 2, 'a', 'b', x'7b7d')"
    )
    other.close()
    with pytest.raises(Stale):
        store.commit(Batch([record("room/1", 2)]))
    store.commit(Batch([record("room/1", 3)]))

    assert len(store.read("room/1", 0, 9)) == 3
    store.close()


# Keys


def use(store: Store, *times: int) -> None:
    store.commit(Batch(used=[Used("ann", f"key {at}", b"print", (), at) for at in times]))


def test_old_keys_expire_and_the_others_stay(store: Store) -> None:
    use(store, 10, 20, 30)
    more = store.expire(20)

    assert not more
    assert [store.used("ann", f"key {at}") is None for at in (10, 20, 30)] == [True, False, False]


def test_keys_expire_in_bounded_parts(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (memory, sqlite, postgres):
        monkeypatch.setattr(module, "EXPIRED_MAX", 10)
    use(store, *range(25))
    left = [25]
    while store.expire(1_000):
        left.append(len(store.keys(("", ""), 100)))

    assert left == [25, 15, 5]
    assert store.keys(("", ""), 100) == []


def test_a_key_that_has_expired_may_be_used_again(store: Store) -> None:
    use(store, 10)
    store.expire(20)
    use(store, 10)

    assert store.used("ann", "key 10") == Used("ann", "key 10", b"print", (), 10)


# Checking


def test_a_check_changes_nothing(store: Store) -> None:
    store.commit(Batch([record("room/1", 1)]))
    before = list(store.streams())
    store.check()

    assert list(store.streams()) == before


@pytest.mark.parametrize("number", [1 << 63, 1 << 70])
def test_a_number_that_is_too_large_is_a_storage_error_at_most(store: Store, number: int) -> None:
    store.commit(Batch([record("room/1", 1)]))
    for ask in (
        lambda: store.read("room/1", number, 1),
        lambda: store.read("room/1", 0, number),
        lambda: store.page("room/1", "added", number, None, 1),
        lambda: store.page("room/1", "added", None, number, 1),
        lambda: store.count("room/1", "added", number, "ann", 1),
        lambda: store.expire(number),
    ):
        try:
            ask()
        except StorageError:
            continue
