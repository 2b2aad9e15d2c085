from __future__ import annotations

from hubbub.journal.stores.contract import Batch
from tests.journal.tally import memory_store, record


def test_each_is_a_journal_of_its_own() -> None:
    one, other = memory_store(), memory_store()
    one.commit(Batch(records=[record("room/1", 1)]))

    assert one.journal_id != other.journal_id
    assert one.secret != other.secret
    assert list(other.streams()) == []


def test_it_answers_at_once() -> None:
    store = memory_store()

    assert not store.blocking
    assert not store.catch_up()


def test_who_was_reading_may_read_on_after_it_was_closed() -> None:
    store = memory_store()
    store.commit(Batch(records=[record("room/1", 1)]))
    store.close()

    assert store.read("room/1", 0, 1) == [record("room/1", 1).body]
