"""A repaired database has what is sound, and says what it leaves out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import anyio
import apsw
import pytest

import hubbub
from hubbub.errors import Conflict, Invalid, NotFound, StorageError
from hubbub.journal.publishing import held
from hubbub.journal.repair import LostEvents, RepairReport, repair
from hubbub.journal.stores.sqlite import SQLiteStore
from hubbub.journal.verify import verify
from tests.journal.damaged import PAGE_BYTES, events_of
from tests.journal.test_verify import MESSAGES, REGISTRY, Damage, damaged, fill, sound

__all__ = ["damaged", "sound"]


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "hubbub.db"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "copy.db"


def repaired(db: Path, copy: Path) -> RepairReport:
    """Repair a database, and check that nothing is wrong with the new one."""
    report = repair(db, copy, REGISTRY)
    with closing(SQLiteStore(copy)) as store:
        assert verify(store, REGISTRY).faults == []
    return report


@pytest.mark.usefixtures("damaged")
def test_a_repaired_database_is_another_journal_with_the_same_secret(db: Path, copy: Path) -> None:
    repaired(db, copy)
    with closing(SQLiteStore(db)) as old, closing(SQLiteStore(copy)) as new:
        assert new.journal_id != old.journal_id
        assert new.secret == old.secret


@pytest.mark.usefixtures("damaged")
def test_keys_and_snapshots_and_the_text_index_are_there(db: Path, copy: Path) -> None:
    report = repaired(db, copy)
    with closing(SQLiteStore(copy)) as store:
        [(stream, _)] = [one for one in store.streams() if one[0].startswith("room/")]
        assert store.search(stream, ["move", "7"], 1 << 60, 1) != []
        assert len(store.snapshots("", 10)) == 1
        assert store.used("ann", "move 3") is not None
    assert report.keys == MESSAGES


def test_a_stream_ends_before_a_hole(damaged: Damage, db: Path, copy: Path) -> None:
    room = damaged("DELETE FROM event WHERE stream = :number AND seq = 20")
    last = max(seq for stream, seq in events_of(db) if stream == room)
    report = repaired(db, copy)

    assert report.dropped == [LostEvents(room, 20, last, "it is missing")]
    assert max(seq for stream, seq in events_of(copy) if stream == room) == 19


def test_a_stream_ends_before_an_event_that_cannot_be_read(
    damaged: Damage, db: Path, copy: Path
) -> None:
    room = damaged("UPDATE event SET body = x'7b' WHERE stream = :number AND seq = 20")
    [dropped] = repaired(db, copy).dropped

    assert (dropped.stream, dropped.first) == (room, 20)


def test_a_stream_without_its_first_event_is_left_out(
    damaged: Damage, db: Path, copy: Path
) -> None:
    room = damaged("DELETE FROM event WHERE stream = :number AND seq = 1")
    repaired(db, copy)

    assert room not in {stream for stream, _ in events_of(copy)}


def test_the_other_streams_are_complete(damaged: Damage, db: Path, copy: Path) -> None:
    room = damaged("DELETE FROM event WHERE stream = :number AND seq = 1")
    events = events_of(db)
    repaired(db, copy)

    assert events_of(copy) == {key: body for key, body in events.items() if key[0] != room}


def test_the_keys_of_events_that_are_left_out_are_left_out(
    damaged: Damage, db: Path, copy: Path
) -> None:
    damaged("DELETE FROM event WHERE stream = :number AND seq = 20")
    report = repaired(db, copy)

    assert report.keys + report.keys_dropped == MESSAGES
    assert report.keys < 20


def test_an_event_that_does_not_fold_ends_its_stream(damaged: Damage, db: Path, copy: Path) -> None:
    room = damaged(
        "UPDATE event SET type = 'left', by = 'eve',"
        " body = CAST(json_set(CAST(body AS TEXT), '$.type', 'left', '$.by', 'eve') AS BLOB)"
        " WHERE stream = :number AND seq = 20"
    )
    [dropped] = repaired(db, copy).dropped

    assert (dropped.stream, dropped.first) == (room, 20)
    assert "does not fold" in dropped.why


def test_events_out_of_the_order_of_commits_end_their_stream(
    damaged: Damage, db: Path, copy: Path
) -> None:
    room = damaged("UPDATE event SET id = id + 500 WHERE stream = :number AND seq = 20")
    [dropped] = repaired(db, copy).dropped

    assert (dropped.stream, dropped.first) == (room, 21)


def test_streams_of_unknown_kinds_are_kept(damaged: Damage, db: Path, copy: Path) -> None:
    damaged(
        'UPDATE event SET body = CAST(replace(CAST(body AS TEXT), \'"stream":"direct/\','
        ' \'"stream":"poll/\') AS BLOB)'
    )
    damaged("UPDATE stream SET name = 'poll/' || substr(name, 8) WHERE name LIKE 'direct/%'")
    repaired(db, copy)

    assert [key for key in events_of(copy) if key[0].startswith("poll/")] != []


@pytest.mark.usefixtures("damaged")
@pytest.mark.parametrize("table", ["event", "stream", "used", "snapshot", "sqlite_schema"])
def test_without_the_root_of_a_table_the_rows_are_found(db: Path, copy: Path, table: str) -> None:
    events = events_of(db)
    with closing(apsw.Connection(str(db))) as connection:
        query = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
        root = int(connection.execute(query, (table,)).get or 1)
    data = bytearray(db.read_bytes())
    data[(root - 1) * PAGE_BYTES : root * PAGE_BYTES] = bytes(PAGE_BYTES)
    db.write_bytes(data)
    repaired(db, copy)

    assert events_of(copy) == events


def test_the_log_beside_the_file_is_read(tmp_path: Path, copy: Path) -> None:
    db, crashed = tmp_path / "hubbub.db", tmp_path / "crashed.db"

    async def crash() -> None:
        async with hubbub.open(str(db)) as hub, hub.session("ann") as ann:
            room = await ann.chat.create_room("Lobby")
            await ann.chat.send(room.id, "in the log")
            for suffix in ("", "-wal"):
                data = db.with_name(db.name + suffix).read_bytes()
                crashed.with_name(crashed.name + suffix).write_bytes(data)

    anyio.run(crash)
    repaired(crashed, copy)

    assert crashed.stat().st_size < copy.stat().st_size
    assert events_of(copy) == events_of(db)


@pytest.mark.usefixtures("damaged")
def test_the_damaged_file_is_not_changed(db: Path, copy: Path) -> None:
    before = db.read_bytes()
    names = {path.name for path in db.parent.iterdir()}
    repair(db, copy, REGISTRY)

    assert db.read_bytes() == before
    assert {path.name for path in db.parent.iterdir()} == names | {copy.name}


@pytest.mark.usefixtures("damaged")
def test_a_file_is_not_replaced(db: Path, copy: Path) -> None:
    copy.write_text("mine")
    with pytest.raises(Conflict, match="exists already"):
        repair(db, copy, REGISTRY)
    with pytest.raises(Invalid, match="same file"):
        repair(db, db, REGISTRY)

    assert copy.read_text() == "mine"


@pytest.mark.usefixtures("damaged")
def test_a_database_in_use_is_refused(db: Path, copy: Path) -> None:
    with held(db), pytest.raises(Conflict, match="stop the server"):
        repair(db, copy, REGISTRY)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda path: path.write_bytes(b"x" * 10_000), id="noise"),
        pytest.param(lambda path: path.write_bytes(b"SQLite format 3\0"), id="a magic number"),
        pytest.param(lambda path: apsw.Connection(str(path)).execute("CREATE TABLE t(x)"), id="t"),
    ],
)
def test_a_file_without_events_makes_no_database(
    db: Path, copy: Path, make: Callable[[Path], object]
) -> None:
    make(db)
    with pytest.raises(StorageError, match="No event"):
        repair(db, copy, REGISTRY)

    assert not copy.exists()


def test_a_missing_file_is_told(db: Path, copy: Path) -> None:
    with pytest.raises(NotFound):
        repair(db, copy, REGISTRY)


def test_a_lost_secret_is_made_anew(damaged: Damage, db: Path, copy: Path) -> None:
    damaged("DELETE FROM meta WHERE name = 'secret'")

    assert repaired(db, copy).new_secret


async def test_a_hub_goes_on_with_a_repaired_database(tmp_path: Path) -> None:
    db, copy = tmp_path / "hubbub.db", tmp_path / "copy.db"
    await fill(db)
    await anyio.to_thread.run_sync(repair, db, copy, REGISTRY)
    async with hubbub.open(str(copy)) as hub, hub.session("ann") as ann:
        [room] = await ann.chat.rooms(joined=True)
        message = await ann.chat.send(room.id, "after the repair")
        found = await ann.chat.search(room.id, "repair")

    assert [one.seq for one in found] == [message.seq]
