from __future__ import annotations

from hubbub.journal.stores.contract import Batch
from hubbub.journal.stores.memory import MemoryStore
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


def test_what_matches_is_what_it_was_told() -> None:
    store = MemoryStore(lambda text, wanted: text == "".join(wanted))
    store.commit(Batch(records=[record("room/1", 1, text="ab"), record("room/1", 2, text="abc")]))

    assert store.search("room/1", ["a", "b"], 9, 9) == [1]
