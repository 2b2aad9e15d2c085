from __future__ import annotations

import pytest

from hubbub.journal.stores import memory
from hubbub.journal.stores.contract import Batch
from hubbub.journal.stores.memory import CHARGED_MAX, MemoryStore
from hubbub.journal.stores.sharing import Wanted
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


def test_charged_limits_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "CHARGED_MAX", 2)
    store = MemoryStore(shared=True)
    names = [("messages", user) for user in ("ann", "bob", "ann", "cid")]
    for name in names:
        store.commit(Batch(limits={name: b"1"}))

    assert store.news(Wanted(limits=names)).limits.keys() == {names[0], names[3]}
    assert CHARGED_MAX == 100_000
