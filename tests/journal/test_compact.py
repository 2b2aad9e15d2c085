"""Compacting a database: what goes, what stays, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import apsw
import pytest

import hubbub
from hubbub.errors import Conflict, NotFound
from hubbub.journal.compact import compact, survey
from hubbub.journal.event import Streams
from hubbub.journal.stores.contract import Batch, Snapshot
from hubbub.journal.stores.sqlite import SQLiteStore
from hubbub.journal.upgrade import upgrade
from hubbub.journal.verify import verify
from tests.features import STREAMS
from tests.journal.golden.make import GOLDEN, folded_states, renew_snapshots
from tests.journal.tally import NOON, record

ALL_STREAMS = Streams(STREAMS)
LONG_AGO = 0
EVER = 1 << 40


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = Path(shutil.copy(GOLDEN / "0.1.0.db", tmp_path / "hubbub.db"))
    upgrade(path, keeps_backup=False)
    renew_snapshots(path)
    return path


def contents(path: Path) -> dict[str, Any]:
    """Return all that a database says: states, keys, and what is found in its rooms."""
    store = SQLiteStore(path)
    try:
        assert verify(store, ALL_STREAMS).faults == []
        [room] = [name for name, _ in store.streams() if name.startswith("room/")]
        return {
            "states": folded_states(store),
            "keys": store.keys(("", ""), 100),
            "found": store.search(room, ["BANANA"], 1 << 40, 10),
            "snapshots": [one.stream for one in store.snapshots("", 100)],
            "ids": (store.journal_id, store.secret),
        }
    finally:
        store.close()


def outdate(path: Path) -> None:
    """Give the snapshot of the room a version that it has not."""
    database = apsw.Connection(str(path))
    database.execute("UPDATE snapshot SET body = CAST('77 ' || body AS BLOB)")
    database.close()


def fill_and_free(path: Path) -> None:
    """Leave pages that hold nothing."""
    database = apsw.Connection(str(path))
    database.execute("CREATE TABLE junk (x); INSERT INTO junk VALUES (zeroblob(1000000))")
    database.execute("DROP TABLE junk")
    database.close()


def test_no_event_and_nothing_that_counts_is_lost(db: Path) -> None:
    before = contents(db)
    compact(db, ALL_STREAMS, LONG_AGO)
    after = contents(db)

    assert after == before
    assert len(after["keys"]) > 3
    assert after["found"]


def test_free_pages_are_given_back(db: Path) -> None:
    fill_and_free(db)
    before = survey(db, ALL_STREAMS, LONG_AGO)
    after = compact(db, ALL_STREAMS, LONG_AGO)

    assert before.free > 900_000
    assert after.free == after.log == 0
    assert after.size == db.stat().st_size < before.size - 900_000


def test_expired_keys_go_and_others_stay(db: Path) -> None:
    database = apsw.Connection(str(db))
    [(total,)] = database.execute("SELECT count(*) FROM used")
    database.execute("UPDATE used SET at = 5 WHERE key = 'lobby'")
    database.close()
    before = survey(db, ALL_STREAMS, 6)
    after = compact(db, ALL_STREAMS, 6)

    assert (before.expired_keys, after.expired_keys) == (1, 0)
    assert len(contents(db)["keys"]) == total - 1
    assert survey(db, ALL_STREAMS, EVER).expired_keys == total - 1


def test_a_snapshot_that_is_passed_over_goes(db: Path) -> None:
    outdate(db)
    before = survey(db, ALL_STREAMS, LONG_AGO)
    after = compact(db, ALL_STREAMS, LONG_AGO)

    assert len(before.outdated) == 1
    assert before.outdated_bytes > 100
    assert (after.outdated, after.outdated_bytes) == ((), 0)
    assert contents(db)["snapshots"] == []


def test_a_snapshot_of_a_feature_that_is_not_given_stays(tmp_path: Path) -> None:
    path = tmp_path / "hubbub.db"
    store = SQLiteStore(path)
    kept = Snapshot("ticket/1", 1, NOON, b'9 {"subject":"help"}', (b"[1]",))
    store.commit(Batch([record("ticket/1", 1)], snapshots=[kept]))
    store.close()
    compact(path, ALL_STREAMS, EVER)
    store = SQLiteStore(path)

    assert store.snapshots("", 10) == [kept]
    store.close()


def test_texts_that_were_not_indexed_yet_are_found(tmp_path: Path) -> None:
    path = tmp_path / "hubbub.db"
    store = SQLiteStore(path)
    store.commit(Batch([record("room/1", seq, text="hello") for seq in range(1, 600)]))
    store.close()
    compact(path, ALL_STREAMS, LONG_AGO)
    store = SQLiteStore(path)

    assert not store.catch_up()
    assert len(store.search("room/1", ["HELLO"], EVER, 1_000)) == 599
    store.close()


async def test_a_database_that_is_served_is_measured_and_not_compacted(tmp_path: Path) -> None:
    path = tmp_path / "hubbub.db"
    async with hubbub.open(str(path)) as hub, hub.session("ann") as ann:
        await ann.chat.create_room("r")
        found = await hub.journal.query(survey, path, ALL_STREAMS, LONG_AGO)

        with pytest.raises(Conflict, match="open"):
            await hub.journal.query(compact, path, ALL_STREAMS, LONG_AGO)
    assert found.size >= found.log > 0


def test_an_older_database_is_migrated_first(tmp_path: Path) -> None:
    old = shutil.copy(GOLDEN / "0.1.0.db", tmp_path / "hubbub.db")

    with pytest.raises(Conflict, match="hubbub migrate"):
        compact(old, ALL_STREAMS, LONG_AGO)
    with pytest.raises(NotFound, match="no database"):
        survey(tmp_path / "none.db", ALL_STREAMS, LONG_AGO)


def test_parts_of_snapshots_that_do_not_count_go(tmp_path: Path) -> None:
    path = tmp_path / "hubbub.db"
    store = SQLiteStore(path)
    store.commit(Batch([record("tally/1", seq) for seq in (1, 2, 3)]))
    large = [Snapshot("tally/1", seq, NOON, b"{}", (b"[1]",) * 9) for seq in (1, 2, 3)]
    for one in large[:2]:
        for number in range(9, -1, -1):
            store.keep_part(one, number)
    # The process is killed while it writes the third.
    store.keep_part(large[2], 9)
    store.close()
    compact(path, Streams({}), EVER)

    store = SQLiteStore(path)
    assert store.snapshots("", 10) == [large[1]]
    store.close()
    database = apsw.Connection(str(path))
    assert list(database.execute("SELECT seq, count(*) FROM snapshot GROUP BY seq")) == [(2, 10)]
    database.close()
