"""Batches as parameters: which texts are indexed, and how much of them."""

from __future__ import annotations

import pytest

from hubbub.journal.stores.contract import Batch, Record, Stale
from hubbub.journal.stores.postgres.batches import (
    INDEXED_CHARS_MAX,
    check_seqs,
    event_arrays,
    seqs_before,
)
from hubbub.journal.stores.postgres.store import PostgresStore
from tests.journal.tally import record


def words_of(body: bytes) -> str | None:
    *_, words = event_arrays([Record("room/1", 1, "message", "ann", None, body)], {})
    found: str | None = words[0]
    return found


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"text":"Hello W\xc3\xb6rld"}', " hello world"),
        (b'{"text":""}', None),
        (b'{"text":7}', None),
        (b'{"text":"..."}', None),
        (b'{"said":"text"}', None),
        (b'{"text":"cut sh', None),
    ],
)
def test_only_a_text_has_words(body: bytes, words: str | None) -> None:
    assert words_of(body) == words


@pytest.mark.parametrize("char", ["a ", "海", "👋 ", "\ufdfa"])
def test_a_text_of_any_length_is_written(store: PostgresStore, char: str) -> None:
    text = "".join([char + chr(0x4E00 + n % 20_000) for n in range(2 * INDEXED_CHARS_MAX)])
    store.commit(Batch([record("room/1", 1, text=text)]))

    assert len(store.read("room/1", 0, 9)) == 1


def test_the_records_of_a_stream_follow_its_head_and_each_other() -> None:
    records = [record("room/1", 3), record("room/2", 1), record("room/1", 4)]

    assert check_seqs(records, {"room/1": 2, "room/2": 0}) == {"room/1": 4, "room/2": 1}
    assert seqs_before(Batch(records)) == {"room/1": 2, "room/2": 0}
    with pytest.raises(Stale):
        check_seqs(records, {"room/1": 1, "room/2": 0})
