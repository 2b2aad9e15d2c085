"""The contract of every store: one suite that each store has to pass."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import count

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hubbub.journal.stores.contract import Batch, Record, Snapshot, Store, Used
from hubbub.words import words
from tests.journal.stores.kinds import STORES, store_of
from tests.journal.tally import NOON, record

EVER = 1 << 62

kinds = st.sampled_from(["message", "edited"])
users = st.sampled_from(["ann", "bob"])
refs = st.none() | st.integers(1, 12)
shapes = st.lists(st.tuples(kinds, users, refs), max_size=12)
seqs = st.none() | st.integers(0, 14)
limits = st.integers(1, 6)
# Of every script, with marks that are composed, not composed, or letters of their own.
alphabet = (
    "上海东ที่😀\uff21aA1 -'éE\u0301ßẞйИ\u0306हिन्दी한ﬁ½İ_\U0001e900\U0001e922\ue000👋\u200d\"*:"
)
texts = st.text(alphabet, max_size=12) | st.text(st.characters(exclude_categories=["Cs"]))

_number = count(1)


@pytest.fixture(scope="module", params=STORES)
def store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """Open a store that the tests of this module share; each writes to streams of its own."""
    with store_of(request.param, tmp_path_factory.mktemp("contract"), request) as store:
        yield store


@pytest.fixture
def stream() -> str:
    return new_stream()


def new_stream() -> str:
    return f"room/{next(_number)}"


def filled(store: Store, shape: Sequence[tuple[str, str, int | None]]) -> list[Record]:
    """Commit a new stream of events that have a type, a user and a ref."""
    name = new_stream()
    records = [
        record(name, seq, kind, by=by, ref=ref) for seq, (kind, by, ref) in enumerate(shape, 1)
    ]
    store.commit(Batch(records=records))
    return records


def bodies(records: Sequence[Record]) -> list[bytes]:
    return [record.body for record in records]


# Events


def test_what_was_committed_is_read_in_order(store: Store, stream: str) -> None:
    one, two, three = (record(stream, seq) for seq in (1, 2, 3))
    store.commit(Batch(records=[one, two]))
    store.commit(Batch(records=[three]))

    assert store.read(stream, 0, 100) == bodies([one, two, three])


@given(shapes, st.integers(0, 14), limits)
def test_a_read_begins_after_a_seq_and_has_a_limit(
    store: Store, shape: list[tuple[str, str, int | None]], after: int, limit: int
) -> None:
    records = filled(store, shape)
    name = records[0].stream if records else "room/none"

    assert store.read(name, after, limit) == bodies(records[after : after + limit])


def test_bodies_come_back_as_bytes_whatever_is_in_them(store: Store, stream: str) -> None:
    body = '{"text":"\\u0000 é 👋 \'"}'.encode()
    store.commit(Batch(records=[Record(stream, 1, "message", "ann", None, body)]))

    assert store.read(stream, 0, 1) == [body]


@pytest.mark.parametrize("name", ["room/é ' \" ; %", "room/" + "x" * 1_000, "direct/a/b"])
def test_a_stream_may_have_any_name(store: Store, name: str) -> None:
    store.commit(Batch(records=[record(name, 1)]))

    assert store.read(name, 0, 10) == [record(name, 1).body]


def test_streams_are_apart(store: Store) -> None:
    one, other = new_stream(), new_stream()
    store.commit(Batch(records=[record(one, 1), record(other, 1), record(one, 2)]))

    assert store.read(one, 0, 10) == bodies([record(one, 1), record(one, 2)])
    assert store.read(other, 0, 10) == bodies([record(other, 1)])


def test_a_large_batch_is_kept_whole(store: Store, stream: str) -> None:
    records = [record(stream, seq) for seq in range(1, 1_500)]
    store.commit(Batch(records=records))

    assert store.read(stream, 0, 2_000) == bodies(records)


def test_a_stream_that_is_not_there_is_empty(store: Store) -> None:
    assert store.read("room/none", 0, 10) == []
    assert store.about("room/none", 0, 10) == []
    assert store.page("room/none", "message", None, None, 10) == []
    assert store.count("room/none", "message", 0, "ann", 10) == 0
    assert store.search("room/none", ["a"], EVER, 10) == []
    assert store.load("room/none").bodies == []
    assert store.load("room/none").snapshot is None


def test_an_empty_batch_changes_nothing(store: Store) -> None:
    before = dict(store.streams())
    store.commit(Batch())

    assert dict(store.streams()) == before


@given(shapes, st.integers(0, 14), st.integers(0, 14))
def test_what_is_about_a_range_of_seqs(
    store: Store, shape: list[tuple[str, str, int | None]], first: int, last: int
) -> None:
    records = filled(store, shape)
    name = records[0].stream if records else "room/none"

    assert store.about(name, first, last) == bodies(
        [each for each in records if each.ref is not None and first <= each.ref <= last]
    )


@given(shapes, kinds, seqs, seqs, limits)
def test_a_page_is_the_newest_or_beside_a_seq_the_oldest(
    store: Store,
    shape: list[tuple[str, str, int | None]],
    kind: str,
    after: int | None,
    before: int | None,
    limit: int,
) -> None:
    records = filled(store, shape)
    name = records[0].stream if records else "room/none"

    between = [
        each
        for each in records
        if each.type == kind
        and (after is None or each.seq > after)
        and (before is None or each.seq < before)
    ]
    oldest_first = after is not None and before is None
    wanted = between[:limit] if oldest_first else between[-limit:]
    assert store.page(name, kind, after, before, limit) == bodies(wanted)


@given(shapes, kinds, st.integers(0, 14), users, limits)
def test_what_others_did_since_is_counted_up_to_a_limit(
    store: Store,
    shape: list[tuple[str, str, int | None]],
    kind: str,
    after: int,
    user: str,
    limit: int,
) -> None:
    records = filled(store, shape)
    name = records[0].stream if records else "room/none"

    others = [r for r in records if r.type == kind and r.seq > after and r.by != user]
    assert store.count(name, kind, after, user, limit) == min(len(others), limit)


def test_every_stream_is_listed_with_its_length(store: Store) -> None:
    one, other = new_stream(), new_stream()
    store.commit(Batch(records=[record(one, 1), record(other, 1), record(one, 2)]))

    listed = list(store.streams())

    assert (one, 2) in listed
    assert (other, 1) in listed
    assert len(dict(listed)) == len(listed)


# Snapshots


def test_a_state_is_folded_from_the_newest_snapshot_and_what_came_after(
    store: Store, stream: str
) -> None:
    older, newer = (Snapshot(stream, seq, NOON, b'{"total":%d}' % seq) for seq in (1, 3))
    store.commit(Batch(records=[record(stream, 1)], snapshots=[older]))
    records = [record(stream, seq) for seq in (2, 3, 4, 5)]
    store.commit(Batch(records=records[:2], snapshots=[newer]))
    store.commit(Batch(records=records[2:]))

    loaded = store.load(stream)

    assert loaded.snapshot == newer
    assert loaded.bodies == bodies(records[2:])


def test_without_a_snapshot_a_state_is_folded_from_all_events(store: Store, stream: str) -> None:
    store.commit(Batch(records=[record(stream, 1), record(stream, 2)]))

    loaded = store.load(stream)

    assert loaded.snapshot is None
    assert len(loaded.bodies) == 2


def test_a_snapshot_in_parts_is_kept_whole_and_replaced_whole(store: Store, stream: str) -> None:
    large = Snapshot(stream, 1, NOON, b"{}", (b"[1]", b"[2]", b"[3]"))
    smaller = Snapshot(stream, 2, NOON, b"{}", (b"[4]",))
    found = []
    for seq, snapshot in enumerate([large, smaller, Snapshot(stream, 3, NOON, b"{}")], 1):
        store.commit(Batch(records=[record(stream, seq)], snapshots=[snapshot]))
        found.append(store.load(stream).snapshot)

    assert found == [large, smaller, Snapshot(stream, 3, NOON, b"{}")]


def test_what_is_loaded_together_is_what_is_loaded_alone(store: Store) -> None:
    names = [new_stream() for _ in range(3)]
    snapshot = Snapshot(names[1], 2, NOON, b"{}")
    records = [record(name, seq) for seq in (1, 2, 3) for name in names[:2]]
    store.commit(Batch(records=records, snapshots=[snapshot]))
    alone = [store.load(name) for name in names]

    with store.reading(names):
        assert [store.load(name) for name in names] == alone
    assert [len(loaded.bodies) for loaded in alone] == [3, 1, 0]


def test_the_time_of_a_snapshot_is_kept_to_the_microsecond(store: Store, stream: str) -> None:
    at = NOON.replace(microsecond=123_456)
    store.commit(Batch(records=[record(stream, 1)], snapshots=[Snapshot(stream, 1, at, b"{}")]))

    loaded = store.load(stream)

    assert loaded.snapshot is not None
    assert loaded.snapshot.at == at
    assert loaded.snapshot.at.tzinfo is not None


# Keys


def test_a_used_key_is_found(store: Store, stream: str) -> None:
    used = Used("ann", f"key of {stream}", b"0123456789abcdef", ((stream, 1), ("user/ann", 7)))
    store.commit(Batch(records=[record(stream, 1)], used=[used]))

    assert store.used("ann", used.key) == used


def test_a_key_is_its_users_own(store: Store, stream: str) -> None:
    used = Used("ann", f"key of {stream}", b"0123456789abcdef", ((stream, 1),))
    store.commit(Batch(records=[record(stream, 1)], used=[used]))

    assert store.used("bob", used.key) is None
    assert store.used("ann", "another key") is None


# Search


def said(stream: str, seq: int, text: str, *, ref: int | None = None) -> Record:
    body = json.dumps({"stream": stream, "seq": seq, "text": text}, ensure_ascii=False)
    return Record(stream, seq, "edited" if ref else "message", "ann", ref, body.encode())


def commit_texts(store: Store, name: str, *texts: str) -> None:
    store.commit(Batch(records=[said(name, seq, text) for seq, text in enumerate(texts, 1)]))
    catch_up(store)


def catch_up(store: Store) -> None:
    while store.catch_up():
        pass


def test_texts_are_found_by_the_beginnings_of_all_the_words(store: Store, stream: str) -> None:
    commit_texts(store, stream, "Hello world", "hello there", "world wide", "yellow")

    assert store.search(stream, ["hel"], EVER, 10) == [2, 1]
    assert store.search(stream, ["wor", "hello"], EVER, 10) == [1]
    assert store.search(stream, ["ello"], EVER, 10) == []


@given(texts)
@example("Straße")
@example("हिन्दी")
@example("AND OR NOT NEAR text : stream")
def test_a_text_is_found_by_each_of_its_words(store: Store, text: str) -> None:
    name = new_stream()
    commit_texts(store, name, text)

    for word in words(text):
        assert store.search(name, [word], EVER, 10) == [1]
        assert store.search(name, [word[:1]], EVER, 10) == [1]


@given(st.lists(texts, max_size=6), texts)
def test_nothing_is_found_but_what_has_the_words(
    store: Store, said: list[str], wanted: str
) -> None:
    name = new_stream()
    commit_texts(store, name, *said)

    starts = words(wanted)
    if starts:
        found = [
            seq
            for seq, text in enumerate(said, 1)
            if all(any(word.startswith(start) for word in words(text)) for start in starts)
        ]
        assert store.search(name, starts, EVER, 10) == found[::-1]


def test_a_run_without_spaces_is_found_by_any_two_neighbours(store: Store, stream: str) -> None:
    commit_texts(store, stream, "我家在上海东边。", "海上", "上山下海")

    assert store.search(stream, ["上海"], EVER, 10) == [1]
    assert store.search(stream, ["海"], EVER, 10) == [3, 2, 1]
    assert store.search(stream, ["边"], EVER, 10) == [1]


def test_the_newest_are_found_first_up_to_a_limit(store: Store, stream: str) -> None:
    commit_texts(store, stream, *["one"] * 7)

    assert store.search(stream, ["one"], EVER, 3) == [7, 6, 5]
    assert store.search(stream, ["one"], 5, 3) == [4, 3, 2]
    assert store.search(stream, ["one"], 1, 3) == []


def test_an_edited_text_is_found_at_its_message_and_once(store: Store, stream: str) -> None:
    first, second = said(stream, 1, "apple"), said(stream, 2, "apple pie")
    edited = [said(stream, 3, "apple tart", ref=1), said(stream, 4, "plum tart", ref=1)]
    store.commit(Batch(records=[first, second, *edited]))
    catch_up(store)

    assert store.search(stream, ["apple"], EVER, 10) == [2, 1]
    assert store.search(stream, ["tart"], EVER, 10) == [1]
    assert store.search(stream, ["tart"], 1, 10) == []


def test_other_streams_are_not_searched(store: Store, stream: str) -> None:
    other = new_stream()
    commit_texts(store, stream, "secret")
    commit_texts(store, other, "nothing")

    assert store.search(other, ["secret"], EVER, 10) == []
    assert store.search(stream + "0", ["secret"], EVER, 10) == []


def test_a_text_that_is_no_text_is_passed_over(store: Store, stream: str) -> None:
    odd = Record(stream, 1, "message", "ann", None, b'{"stream":"text"}')
    store.commit(Batch(records=[odd, said(stream, 2, "text")]))
    catch_up(store)

    assert store.search(stream, ["text"], EVER, 10) == [2]


# The store itself


def test_a_store_has_an_id_and_a_secret(store: Store) -> None:
    assert len(store.journal_id) >= 16
    assert len(store.secret) >= 32
    assert store.journal_id not in store.secret


def test_what_was_put_off_ends(store: Store, stream: str) -> None:
    commit_texts(store, stream, *["one"] * 1_000)

    assert store.catch_up() is False
