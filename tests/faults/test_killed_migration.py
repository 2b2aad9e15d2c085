"""A process is killed in a migration: the database is of one version or the other, and whole."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from hubbub.feature_set import FeatureSet
from hubbub.features import FEATURES
from hubbub.journal.event import Streams
from hubbub.journal.stores.migrations import OLDEST_VERSION, SCHEMA_VERSION
from hubbub.journal.stores.sqlite import SQLiteStore
from hubbub.journal.verify import verify
from tests.journal.golden.make import GOLDEN

SCRIPT = Path(__file__).with_name("doomed_migration.py")
STATEMENTS_MAX = 100


def make_oldest(path: Path) -> None:
    """Make a database of the oldest version that can be migrated."""
    shutil.copy(GOLDEN / "0.1.0.db", path)
    database = apsw.Connection(str(path))
    database.execute(
        "DROP INDEX event_deleted; DROP INDEX used_by_at; ALTER TABLE used DROP COLUMN at"
    )
    database.pragma("user_version", OLDEST_VERSION)
    database.close()


def migrate_and_kill(path: Path, statements: int) -> bool:
    """Kill a migration before one of its statements; return False if it has no more."""
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, str(SCRIPT), str(path)],
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as doomed:
        assert doomed.stdin is not None
        assert doomed.stdout is not None
        line = b""
        for _ in range(statements):
            line = doomed.stdout.readline()
            assert line, "the migration has failed"
            if line == b"0\n":
                break
            doomed.stdin.write(b"\n")
            doomed.stdin.flush()
        # It waits for the next line, or is carrying out the statement.
        doomed.send_signal(signal.SIGKILL)
        doomed.wait()
    return line != b"0\n"


def check(path: Path) -> int:
    """Return the version of a database whose tables are those of its version."""
    database = apsw.Connection(str(path))
    try:
        version = int(database.pragma("user_version"))
        columns = [row[1] for row in database.execute("PRAGMA table_info(used)")]
        indexes = {row[1] for row in database.execute("PRAGMA index_list(event)")}
        has_time = "at" in columns
        assert has_time == (version >= 3)
        if version == SCHEMA_VERSION:
            assert "event_deleted" in indexes
        assert database.pragma("integrity_check") == "ok"
    finally:
        database.close()
    return version


@pytest.mark.timeout(120)
def test_a_killed_migration_leaves_a_whole_database_that_migrates_the_next_time(
    tmp_path: Path,
) -> None:
    path, versions = tmp_path / "hubbub.db", list[int]()
    for statements in range(1, STATEMENTS_MAX):
        for file in tmp_path.iterdir():
            file.unlink()
        make_oldest(path)
        goes_on = migrate_and_kill(path, statements)
        versions.append(check(path))
        store = SQLiteStore(path)
        report = verify(store, Streams(FeatureSet(FEATURES).streams))
        store.close()
        assert (report.faults, check(path)) == ([], SCHEMA_VERSION)
        if not goes_on:
            break

    assert set(versions) == set(range(OLDEST_VERSION, SCHEMA_VERSION + 1))
    assert versions == sorted(versions)
