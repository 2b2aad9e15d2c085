from __future__ import annotations

from pathlib import Path
from random import Random

from hubbub.journal.renewal import renew
from hubbub.journal.stores.memory import MemoryStore
from hubbub.journal.stores.sqlite import SQLiteStore


def test_a_renewed_journal_has_another_id_and_the_same_secret(tmp_path: Path) -> None:
    path = tmp_path / "hubbub.db"
    store = SQLiteStore(path)
    before, secret = store.journal_id, store.secret
    renewal = renew(store)
    store.close()
    again = SQLiteStore(path)

    assert (again.journal_id, again.secret) == (renewal.now, secret)
    assert renewal.before == before != renewal.now
    again.close()


def test_an_id_is_drawn_as_a_new_journal_draws_it() -> None:
    store = MemoryStore(Random(1))

    assert len(renew(store, Random(2)).now) == len(store.journal_id)
    assert store.journal_id != MemoryStore(Random(1)).journal_id
