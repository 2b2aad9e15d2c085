"""A sound journal is found sound, and whatever is damaged is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anyio
import apsw
import pytest

import hubbub
from hubbub.chat.rooms.room import RoomState
from hubbub.journal.decide.cache_entries import SNAPSHOT_EVENTS_MIN
from hubbub.journal.event import Streams
from hubbub.journal.stores.contract import Record
from hubbub.journal.stores.memory import MemoryStore
from hubbub.journal.stores.sqlite import SQLiteStore
from hubbub.journal.verify import FAULTS_MAX, Fault, Report, verify
from tests.features import STREAMS
from tests.journal.tally import memory_store

REGISTRY = Streams(STREAMS)

# Of the room that is damaged: made, joined, joined, and then messages.
FIRST_MESSAGE = 4
MESSAGES = SNAPSHOT_EVENTS_MIN + 50

Damage = Callable[..., str]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A database with a bit of everything, and the room that most of it is in."""
    path = tmp_path_factory.mktemp("sound") / "hubbub.db"
    return path, anyio.run(fill, path)


async def fill(path: Path) -> str:
    settings = hubbub.Settings(message_limit=10_000)
    async with (
        hubbub.open(str(path), settings=settings) as hub,
        hub.session("ann") as ann,
        hub.session("bob") as bob,
    ):
        room = await ann.chat.create_room("Chess")
        await bob.chat.join(room.id)
        for number in range(MESSAGES):
            await ann.chat.send(room.id, f"move {number}", key=f"move {number}")
        await bob.chat.react(room.id, FIRST_MESSAGE, "👍")
        await ann.chat.edit(room.id, FIRST_MESSAGE, "e4")
        await bob.chat.send_direct("ann", "well played")
    return room.stream


@pytest.fixture
def damaged(sound: tuple[Path, str], tmp_path: Path) -> Damage:
    """Run SQL on a copy of the database; its ``:room`` is the room, ``:number`` its number."""
    path, room = sound
    (tmp_path / "hubbub.db").write_bytes(path.read_bytes())

    def damage(sql: str, **values: object) -> str:
        connection = apsw.Connection(str(tmp_path / "hubbub.db"))
        of_room = "SELECT number FROM stream WHERE name = ?"
        [(number,)] = connection.execute(of_room, (room,))
        connection.execute(sql, {"room": room, "number": number} | values)
        assert connection.changes()
        connection.close()
        return room

    return damage


def report_of(path: Path) -> Report:
    store = SQLiteStore(path)
    try:
        return verify(store, REGISTRY)
    finally:
        store.close()


def faults_of(path: Path) -> list[tuple[str, str]]:
    return [(fault.where, fault.what) for fault in report_of(path).faults]


def test_a_sound_journal_has_no_fault(sound: tuple[Path, str]) -> None:
    report = report_of(sound[0])

    assert report.faults == []
    assert report.faults_found == 0


def test_everything_is_counted(sound: tuple[Path, str]) -> None:
    report = report_of(sound[0])

    assert report.streams == 5  # the room, two users, their conversation, the list of rooms
    assert report.keys == MESSAGES
    assert report.snapshots == 1
    assert report.events > MESSAGES


def test_progress_ends_with_all_events(sound: tuple[Path, str]) -> None:
    told: list[tuple[int, int]] = []
    store = SQLiteStore(sound[0])
    report = verify(store, REGISTRY, lambda done, total: told.append((done, total)))
    store.close()

    assert told == sorted(told)
    assert told[-1] == (report.events, report.events)


def test_an_empty_journal_is_sound() -> None:
    assert verify(memory_store(), REGISTRY) == Report()


def test_nothing_is_written(sound: tuple[Path, str]) -> None:
    before = sound[0].read_bytes()
    report_of(sound[0])

    assert sound[0].read_bytes() == before


def test_a_missing_event_is_named(damaged: Damage, tmp_path: Path) -> None:
    room = damaged("DELETE FROM event WHERE stream = :number AND seq = 5")

    assert faults_of(tmp_path / "hubbub.db") == [
        (f"{room}, event 6", "event 5 is missing before it")
    ]


def test_missing_events_are_named_together(damaged: Damage, tmp_path: Path) -> None:
    room = damaged("DELETE FROM event WHERE stream = :number AND seq BETWEEN 5 AND 8")

    assert faults_of(tmp_path / "hubbub.db") == [
        (f"{room}, event 9", "events up to 8 are missing before it")
    ]


def test_a_seq_below_1_is_noticed(damaged: Damage, tmp_path: Path) -> None:
    room = damaged("UPDATE event SET seq = -5 WHERE stream = :number AND seq = 5")

    assert (room, "1 of its events have a seq below 1") in faults_of(tmp_path / "hubbub.db")


def test_a_time_that_goes_back_is_named(damaged: Damage, tmp_path: Path) -> None:
    room = damaged(
        "UPDATE event SET body = CAST(json_set(CAST(body AS TEXT), '$.at', '2001-01-01T00:00:00Z')"
        " AS BLOB) WHERE stream = :number AND seq = 5"
    )
    [(where, what)] = faults_of(tmp_path / "hubbub.db")

    assert where == f"{room}, event 5"
    assert what.startswith("its time 2001-01-01T00:00:00+00:00 is before 20")


@pytest.mark.parametrize("at", ["2100-01-01T00:00:00", "2100-01-01T00:00:00+02:00"])
def test_a_time_that_is_not_utc_is_named(damaged: Damage, tmp_path: Path, at: str) -> None:
    room = damaged(
        "UPDATE event SET body = CAST(json_set(CAST(body AS TEXT), '$.at', :at)"
        " AS BLOB) WHERE stream = :number AND seq = 5",
        at=at,
    )

    assert faults_of(tmp_path / "hubbub.db") == [
        (f"{room}, event 5", f"its time {at} is not UTC"),
    ]


DEEP = b"[" * 10_000


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"type":"message"}', b"[]", DEEP])
def test_what_does_not_decode_is_named(damaged: Damage, tmp_path: Path, body: bytes) -> None:
    room = damaged("UPDATE event SET body = :body WHERE stream = :number AND seq = 5", body=body)
    [(where, what)] = faults_of(tmp_path / "hubbub.db")

    assert where == f"{room}, event 5"
    assert what.startswith("it cannot be decoded: ")


def test_a_type_that_nobody_knows_is_named(damaged: Damage, tmp_path: Path) -> None:
    room = damaged(
        "UPDATE event SET body = CAST(replace(CAST(body AS TEXT), '\"message\"', '\"whisper\"')"
        " AS BLOB) WHERE stream = :number AND seq = 5"
    )
    [(where, what)] = faults_of(tmp_path / "hubbub.db")

    assert where == f"{room}, event 5"
    assert "whisper" in what


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE event SET type = 'edited' WHERE stream = :number AND seq = 5",
        "UPDATE event SET by = 'eve' WHERE stream = :number AND seq = 5",
        "UPDATE event SET ref = 3 WHERE stream = :number AND seq = 5",
    ],
)
def test_what_is_found_by_something_else_is_named(
    damaged: Damage, tmp_path: Path, sql: str
) -> None:
    room = damaged(sql)
    [(where, what)] = faults_of(tmp_path / "hubbub.db")

    assert where == f"{room}, event 5"
    assert what.startswith("it is stored as (")


def test_an_event_about_a_later_one_is_named(damaged: Damage, tmp_path: Path) -> None:
    room = damaged(
        "UPDATE event SET ref = 9, body = CAST(json_set(CAST(body AS TEXT), '$.ref', 9) AS BLOB)"
        " WHERE stream = :number AND seq = 5"
    )

    assert faults_of(tmp_path / "hubbub.db") == [
        (f"{room}, event 5", "it is about event 9, which is not earlier"),
    ]


def test_what_does_not_fold_is_named(damaged: Damage, tmp_path: Path) -> None:
    room = damaged(
        "UPDATE event SET type = 'left', by = 'eve',"
        " body = CAST(json_set(CAST(body AS TEXT), '$.type', 'left', '$.by', 'eve') AS BLOB)"
        " WHERE stream = :number AND seq = 5"
    )

    assert faults_of(tmp_path / "hubbub.db") == [
        (f"{room}, event 5", "it does not fold: KeyError: 'eve'"),
    ]


def test_a_stream_of_no_known_kind_is_named(damaged: Damage, tmp_path: Path) -> None:
    damaged("UPDATE stream SET name = 'rome/1' WHERE name LIKE 'direct/%'")
    [(where, what)] = faults_of(tmp_path / "hubbub.db")

    assert where == "rome/1"
    assert what.startswith("it cannot be read: There is no stream 'rome/1'")


def test_a_snapshot_that_is_not_the_fold_is_named(damaged: Damage, tmp_path: Path) -> None:
    room = damaged(
        "UPDATE snapshot SET body = CAST(replace(CAST(body AS TEXT),"
        """ '"creator":"ann"', '"creator":"eve"') AS BLOB) WHERE stream = :room"""
    )
    [(where, what)] = faults_of(tmp_path / "hubbub.db")

    assert where.startswith(f"{room}, snapshot of event ")
    assert what == "it is not the fold of the events up to there"


@pytest.mark.parametrize("body", [b"\0", DEEP])
def test_a_snapshot_that_does_not_decode_is_named(
    damaged: Damage, tmp_path: Path, body: bytes
) -> None:
    body = b"%d %b" % (RoomState.version, body)
    damaged("UPDATE snapshot SET body = :body WHERE stream = :room", body=body)
    [(_, what)] = faults_of(tmp_path / "hubbub.db")

    assert what.startswith("it cannot be decoded: ")


def test_a_snapshot_of_another_time_is_named(damaged: Damage, tmp_path: Path) -> None:
    damaged("UPDATE snapshot SET at = '2001-01-01T00:00:00+00:00' WHERE stream = :room")
    [(_, what)] = faults_of(tmp_path / "hubbub.db")

    assert what == "its time 2001-01-01T00:00:00+00:00 is not the event's"


def test_snapshots_that_cannot_be_read_do_not_hide_the_rest(
    damaged: Damage, tmp_path: Path
) -> None:
    damaged("UPDATE snapshot SET at = 'noon' WHERE stream = :room")
    damaged("DELETE FROM event WHERE stream = :number AND seq = 5")
    first, second = faults_of(tmp_path / "hubbub.db")

    assert first[0] == "the snapshots"
    assert second[1] == "event 5 is missing before it"


def test_a_snapshot_beyond_the_last_event_is_named(damaged: Damage, tmp_path: Path) -> None:
    room = damaged("UPDATE snapshot SET seq = 100000 WHERE stream = :room")
    [(where, what)] = faults_of(tmp_path / "hubbub.db")

    assert where == room
    assert what.startswith("its snapshot is of event 100000, and the last is ")


@pytest.mark.parametrize("stream", ["aaa/1", "room/0", "zzz/1"])
def test_a_snapshot_without_events_is_named(damaged: Damage, tmp_path: Path, stream: str) -> None:
    damaged("UPDATE snapshot SET stream = :stream", stream=stream)

    assert faults_of(tmp_path / "hubbub.db") == [(stream, "it has a snapshot, and no event")]


def test_a_key_without_its_event_is_named(damaged: Damage, tmp_path: Path) -> None:
    damaged("UPDATE used SET places = '[[\"room/0\",7]]' WHERE key = 'move 3'")

    assert faults_of(tmp_path / "hubbub.db") == [
        ("key 'move 3' of ann", "its event 7 of room/0 does not exist"),
    ]


def test_keys_that_cannot_be_read_are_named(damaged: Damage, tmp_path: Path) -> None:
    damaged("UPDATE used SET places = '{' WHERE key = 'move 3'")
    [(where, _)] = faults_of(tmp_path / "hubbub.db")

    assert where == "the used keys"


def test_many_faults_are_counted_and_the_first_are_named(damaged: Damage, tmp_path: Path) -> None:
    damaged(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :many)"
        " INSERT INTO used SELECT 'eve', i, x'00', '[[\"room/0\",1]]', 0 FROM n",
        many=FAULTS_MAX + 5,
    )
    report = report_of(tmp_path / "hubbub.db")

    assert report.faults_found == FAULTS_MAX + 5
    assert len(report.faults) == FAULTS_MAX
    assert report.faults[0] == Fault("key '1' of eve", "its event 1 of room/0 does not exist")


def test_a_page_that_the_disk_has_lost_is_a_fault(damaged: Damage, tmp_path: Path) -> None:
    path = tmp_path / "hubbub.db"
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2)
        file.write(b"\xa5" * (size // 4))

    try:
        report = report_of(path)
    except hubbub.StorageError:
        return
    assert report.faults_found


class CircularStore(MemoryStore):
    """Returns the same events again and again, as a damaged index can."""

    def records(self, stream: str, after: int, limit: int) -> list[Record]:
        return super().records(stream, 0, limit)[::-1]


async def test_an_index_that_leads_in_circles_is_named() -> None:
    store = CircularStore()
    async with hubbub.open(store=store) as hub, hub.session("ann") as ann:
        await ann.chat.create_room("Lobby")
        report = verify(store, REGISTRY)

    assert any("out of order" in fault.what for fault in report.faults)
