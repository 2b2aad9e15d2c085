from __future__ import annotations

import os
import secrets
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import to_thread

import hubbub
from hubbub import Conflict, Invalid, NotFound, StorageError
from hubbub.journal.backup import backup, restore
from hubbub.journal.event import Streams
from hubbub.journal.stores.sqlite import SQLiteStore
from hubbub.journal.verify import Report, verify
from tests.features import STREAMS

SETTINGS = hubbub.Settings(message_limit=100_000)


def fill(path: Path, texts: int = 3) -> None:
    """Make a database with a room in it."""

    async def talk() -> None:
        async with hubbub.open(str(path), settings=SETTINGS) as hub, hub.session("ann") as ann:
            room = await ann.chat.create_room("Lobby")
            for number in range(texts):
                await ann.chat.send(room.id, f"message {number}", key=str(number))

    anyio.run(talk)


def looked_at(path: Path) -> tuple[Report, str, str]:
    """Verify a database; returns the report, its journal's id and its secret."""
    with closing(SQLiteStore(path)) as store:
        return verify(store, Streams(STREAMS)), store.journal_id, store.secret


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_copy_made_while_others_write_is_of_one_moment(tmp_path: Path, backend: str) -> None:
    db, sent = tmp_path / "hubbub.db", list[hubbub.Message]()
    copies = [tmp_path / f"{number}.db" for number in range(5)]

    async def talk(ann: hubbub.Session) -> None:
        room = await ann.chat.create_room("Lobby")
        while True:
            sent.append(await ann.chat.send(room.id, "again"))

    async def copy_all() -> None:
        async with (
            hubbub.open(str(db), settings=SETTINGS) as hub,
            hub.session("ann") as ann,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(talk, ann)
            for copy in copies:
                before = len(sent)
                while len(sent) < before + 10:  # noqa: ASYNC110
                    await anyio.sleep(0.001)
                await to_thread.run_sync(backup, db, copy)
            tasks.cancel_scope.cancel()

    anyio.run(copy_all, backend=backend)

    reports = [looked_at(copy)[0] for copy in copies]
    events = [report.events for report in reports]
    assert all(report.faults == [] for report in reports)
    assert events == sorted(set(events))


def test_a_copy_is_one_file_and_its_owners_alone(tmp_path: Path) -> None:
    db, copy = tmp_path / "hubbub.db", tmp_path / "copy.db"
    fill(db)
    old = os.umask(0)
    try:
        backup(db, copy)
    finally:
        os.umask(old)

    assert mode_of(copy) == 0o600
    assert [path.name for path in tmp_path.glob("copy*")] == ["copy.db"]
    with closing(sqlite3.connect(f"file:{copy}?mode=ro", uri=True)) as plain:
        assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert plain.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_a_copy_keeps_the_journals_id(tmp_path: Path) -> None:
    db, copy = tmp_path / "hubbub.db", tmp_path / "copy.db"
    fill(db)
    backup(db, copy)

    assert looked_at(copy) == looked_at(db)


def test_what_is_there_is_replaced_by_force_only(tmp_path: Path) -> None:
    db, copy = tmp_path / "hubbub.db", tmp_path / "copy.db"
    fill(db)
    copy.write_text("precious")
    with pytest.raises(Conflict, match="--force"):
        backup(db, copy)
    assert copy.read_text() == "precious"
    backup(db, copy, force=True)

    assert looked_at(copy)[0].faults == []


@pytest.mark.parametrize("how", ["itself", "link", "hard link"])
@pytest.mark.parametrize("put", [backup, restore])
def test_a_file_is_not_copied_onto_itself(tmp_path: Path, how: str, put: Any) -> None:
    db = tmp_path / "hubbub.db"
    fill(db)
    other = db if how == "itself" else tmp_path / "other.db"
    if how == "link":
        other.symlink_to(db)
    if how == "hard link":
        other.hardlink_to(db)

    with pytest.raises(Invalid, match="the same file"):
        put(db, other, force=True)
    assert looked_at(db)[0].faults == []


@pytest.mark.parametrize("put", [backup, restore])
@pytest.mark.parametrize("kind", ["text", "sqlite", "empty", "missing", "directory"])
def test_what_is_no_database_of_ours_is_refused(tmp_path: Path, put: Any, kind: str) -> None:
    source, target = tmp_path / "it.db", tmp_path / "copy.db"
    match kind:
        case "text":
            source.write_text("not a database" * 1_000)
        case "sqlite":
            with closing(sqlite3.connect(source)) as other:
                other.execute("CREATE TABLE t (x)")
        case "empty":
            source.touch()
        case "directory":
            source.mkdir()

    with pytest.raises((StorageError, NotFound)):
        put(source, target)
    assert [path.name for path in tmp_path.glob("copy.db*")] in ([], ["copy.db.lock"])


def test_a_restored_database_is_another_journal_with_the_same_users(tmp_path: Path) -> None:
    db, copy, again = (tmp_path / name for name in ("hubbub.db", "copy.db", "again.db"))
    fill(db)
    backup(db, copy)
    restore(copy, again)

    report, journal_id, secret = looked_at(again)
    before, old_id, old_secret = looked_at(db)
    assert report == before
    assert (journal_id != old_id, secret) == (True, old_secret)
    assert mode_of(again) == 0o600


def test_each_restored_database_is_a_journal_of_its_own(tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    fill(copy)
    for name in ("a.db", "b.db"):
        restore(copy, tmp_path / name)

    assert looked_at(tmp_path / "a.db")[1] != looked_at(tmp_path / "b.db")[1]


def test_a_database_in_use_is_not_replaced(tmp_path: Path, backend: str) -> None:
    db, copy = tmp_path / "hubbub.db", tmp_path / "copy.db"
    fill(db)
    backup(db, copy)

    async def use() -> None:
        async with hubbub.open(str(db)) as hub, hub.session("ann") as ann:
            with pytest.raises(Conflict, match="stop the server"):
                await to_thread.run_sync(lambda: restore(copy, db, force=True))
            await ann.chat.create_room("still here")

    anyio.run(use, backend=backend)

    assert looked_at(db)[0].faults == []


def test_a_log_that_was_left_is_no_part_of_what_is_restored(tmp_path: Path) -> None:
    db, copy, crashed = (tmp_path / name for name in ("hubbub.db", "copy.db", "crashed.db"))
    fill(db)
    backup(db, copy)
    leave_a_log(db, crashed)
    with pytest.raises(Conflict, match="--force"):
        restore(copy, crashed)
    restore(copy, crashed, force=True)

    with closing(sqlite3.connect(crashed)) as plain:
        assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        names = {name for (name,) in plain.execute("SELECT name FROM meta")}
    assert "written to the log" not in names


def test_a_damaged_copy_replaces_nothing(tmp_path: Path) -> None:
    db, copy = tmp_path / "hubbub.db", tmp_path / "copy.db"
    fill(db, texts=300)
    backup(db, copy)
    whole = copy.read_bytes()
    copy.write_bytes(whole[: len(whole) // 2] + secrets.token_bytes(len(whole) // 2))
    before = looked_at(db)

    with pytest.raises(StorageError):
        restore(copy, db, force=True)
    assert looked_at(db) == before


KILLED_AT = {
    "copying": "b._copy = lambda old, new: (new.write_bytes(b'half'), wait())",
    "bringing it to the disk": "os.fsync = wait",
    "naming it": "os.link = os.replace = wait",
}
DOOMED = """
import os, sys, time
import hubbub.journal.backup as b

def wait(*arguments):
    print("here", flush=True)
    time.sleep(60)

{patch}
b.backup(sys.argv[1], sys.argv[2], force=sys.argv[3] == "force")
"""


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("where", KILLED_AT)
def test_a_backup_that_is_killed_leaves_what_was_there(
    tmp_path: Path, where: str, *, force: bool
) -> None:
    db, copy = tmp_path / "hubbub.db", tmp_path / "copy.db"
    fill(db)
    if force:
        copy.write_text("the last one")

    def kill() -> None:
        script = DOOMED.format(patch=KILLED_AT[where])
        env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", script, str(db), str(copy), "force" if force else ""]
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE) as doomed:
            assert doomed.stdout is not None
            assert doomed.stdout.readline() == b"here\n"
            # Nobody else writes it meanwhile.
            with pytest.raises(Conflict, match="being written"):
                backup(db, copy, force=force)
            doomed.send_signal(signal.SIGKILL)

    kill()
    assert (copy.read_text() == "the last one") if force else not copy.exists()
    backup(db, copy, force=force)

    assert looked_at(copy)[0].faults == []
    assert not list(tmp_path.glob("*.partial*"))


def test_a_restore_that_is_killed_leaves_the_whole_database(tmp_path: Path) -> None:
    db, copy, crashed = (tmp_path / name for name in ("hubbub.db", "copy.db", "crashed.db"))
    fill(db)
    backup(db, copy)
    leave_a_log(db, crashed)
    patch = "os.replace = wait\nb.backup = b.restore"
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", DOOMED.format(patch=patch), str(copy), str(crashed), "force"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE) as doomed:
        assert doomed.stdout is not None
        assert doomed.stdout.readline() == b"here\n"
        doomed.send_signal(signal.SIGKILL)

    with closing(SQLiteStore(crashed)) as store:
        assert store._meta("written to the log", "not there") == "and not checkpointed yet"


def test_a_backup_does_not_replace_a_database_in_use(tmp_path: Path) -> None:
    db, other = tmp_path / "hubbub.db", tmp_path / "other.db"
    fill(db)
    with closing(SQLiteStore(other)), pytest.raises(Conflict, match="is open"):
        backup(db, other, force=True)

    assert looked_at(other)[0].events == 0


def leave_a_log(db: Path, crashed: Path) -> None:
    """Make a copy of a database that was killed: with something in its log."""
    with closing(SQLiteStore(db)) as store:
        store._meta("written to the log", "and not checkpointed yet")
        for suffix in ("", "-wal"):
            data = db.with_name(db.name + suffix).read_bytes()
            crashed.with_name(crashed.name + suffix).write_bytes(data)
