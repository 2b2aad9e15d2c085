"""The rows of a database's tables, read without SQLite."""

from __future__ import annotations

from pathlib import Path

from hubbub.journal.stores.contract import Batch, Record, Used
from hubbub.journal.stores.salvage import open_salvage
from hubbub.journal.stores.sqlite import SQLiteStore

PAGE = 4096


def filled(path: Path) -> SQLiteStore:
    store = SQLiteStore(path)
    records = [Record("room/1", seq, "said", "ann", seq - 1 or None, b"{}") for seq in (1, 2)]
    store.commit(Batch(records, [Used("ann", "k", b"print", (("room/1", 1),), 60)]))
    store.close()
    return store


def test_all_that_was_stored_is_read(tmp_path: Path) -> None:
    store = filled(tmp_path / "hubbub.db")
    with open_salvage(tmp_path / "hubbub.db") as salvage:
        events, [key] = list(salvage.events()), salvage.used()
        secret, missing = salvage.meta("secret"), salvage.meta("nothing")

    assert [(row.id, row.seq, row.ref, row.body) for row in events] == [
        (1, 1, None, b"{}"),
        (2, 2, 1, b"{}"),
    ]
    assert key == ("ann", "k", b"print", '[["room/1",1]]', 60)
    assert (secret, missing) == (store.secret, None)
    assert salvage.damaged_pages == []


def test_without_the_schema_the_rows_are_known_by_their_form(tmp_path: Path) -> None:
    path = tmp_path / "hubbub.db"
    store = filled(path)
    path.write_bytes(bytes(PAGE) + path.read_bytes()[PAGE:])
    with open_salvage(path) as salvage:
        events, keys, secret = list(salvage.events()), list(salvage.used()), salvage.meta("secret")

    assert [row.seq for row in events] == [1, 2]
    assert [row.key for row in keys] == ["k"]
    assert secret == store.secret
    assert 1 in salvage.damaged_pages
