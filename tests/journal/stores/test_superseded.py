"""Superseded events: a part of the contract of every store."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hubbub.journal.stores.contract import Batch, Record, Store
from tests.journal.stores import test_contract
from tests.journal.stores.test_contract import bodies, new_stream, refs
from tests.journal.tally import record

store, stream = test_contract.store, test_contract.stream


def test_what_was_superseded_is_about_nothing_any_more(store: Store, stream: str) -> None:
    first = [record(stream, 1), record(stream, 2, "edited", ref=1)]
    store.commit(Batch(first))
    later = [record(stream, 3, "edited", ref=1), record(stream, 4, "unreacted", ref=1)]
    store.commit(Batch(later, superseded=[(stream, 2), (stream, 4)]))

    assert store.about(stream, 1, 1) == bodies([later[0]])
    assert store.records(stream, 0, 9) == [*first, *later]


def test_to_supersede_twice_is_to_supersede_once(store: Store, stream: str) -> None:
    store.commit(Batch([record(stream, 1), record(stream, 2, "edited", ref=1)]))
    for seq in (3, 4):
        store.commit(Batch([record(stream, seq)], superseded=[(stream, 2)]))

    assert store.about(stream, 1, 4) == []
    assert [found.ref for found in store.records(stream, 1, 1)] == [1]


@given(st.lists(st.tuples(st.sampled_from(["message", "edited", "deleted"]), refs), max_size=9))
def test_what_was_taken_back_is_what_deletions_are_about_and_what_else_is_about_it(
    store: Store, shape: list[tuple[str, int | None]]
) -> None:
    name = new_stream()
    records = [record(name, seq, kind, ref=ref) for seq, (kind, ref) in enumerate(shape, 1)]
    store.commit(Batch(records))
    deleted = {found.ref for found in records if found.type == "deleted"} - {None}
    expected = [found.seq for found in records if (found.ref or found.seq) in deleted]

    assert store.taken_back(name, 0, 99) == expected
    assert store.taken_back(name, 2, 5) == [seq for seq in expected if 2 < seq <= 5]
    assert store.count(name, "message", 0, "nobody", 99) == sum(
        found.type == "message" and found.seq not in deleted for found in records
    )


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["message", "deleted"]), refs)))
def test_what_was_taken_back_is_marked_among_all_events(
    store: Store, shape: list[tuple[str, str, int | None]]
) -> None:
    names = {"a": new_stream(), "b": new_stream()}
    heads = dict.fromkeys(names, 0)
    records = list[Record]()
    for letter, kind, ref in shape:
        heads[letter] += 1
        records.append(record(names[letter], heads[letter], kind, ref=ref))
    before = store.last_place()
    store.commit(Batch(records))

    marked: dict[str, list[int]] = {name: [] for name in names.values()}
    for placed, each in zip(store.committed(before, 99), records, strict=True):
        marked[each.stream] += [each.seq] * placed.taken_back
    assert marked == {name: store.taken_back(name, 0, 99) for name in marked}
