"""Migrations: each is one transaction; versions that cannot be migrated are refused."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest

from hubbub.errors import StorageError
from hubbub.feature_set import FeatureSet
from hubbub.features import FEATURES
from hubbub.journal.event import Streams
from hubbub.journal.stores import migrations
from hubbub.journal.stores.migrations import MIGRATIONS, SCHEMA_VERSION, Migration, pending
from hubbub.journal.stores.opening import open_writer
from hubbub.journal.stores.sqlite import SQLiteStore
from hubbub.journal.verify import verify
from tests.journal.golden.make import GOLDEN, folded_states

RELEASES = sorted(GOLDEN.glob("*.db"))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Copy the database of the first release."""
    return Path(shutil.copy(RELEASES[0], tmp_path / "hubbub.db"))


def version_of(path: Path) -> int:
    database = apsw.Connection(str(path))
    try:
        return int(database.pragma("user_version"))
    finally:
        database.close()


def set_version(path: Path, version: int, release: str | None = None) -> None:
    database = apsw.Connection(str(path))
    database.pragma("user_version", version)
    if release is not None:
        migrations.note_release(database, release)
    database.close()


def same(now: Any, before: Any) -> bool:
    """Compare a state with what an older release folded, which lacks fields added since."""
    if isinstance(now, dict) and isinstance(before, dict):
        return all(key in now and same(now[key], value) for key, value in before.items())
    return bool(now == before)


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.stem)
def test_the_database_of_a_release_is_migrated_and_sound(release: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(release, tmp_path / "hubbub.db"))
    store = SQLiteStore(path)
    report = verify(store, Streams(FeatureSet(FEATURES).streams))
    store.close()

    assert (report.faults, report.skipped) == ([], {})
    assert report.events > 300
    assert (report.snapshots, report.keys > 3) == (1, True)
    assert version_of(path) == SCHEMA_VERSION


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.stem)
def test_its_streams_fold_into_what_they_did(release: Path, tmp_path: Path) -> None:
    store = SQLiteStore(shutil.copy(release, tmp_path / "hubbub.db"))
    now = folded_states(store)
    store.close()
    before = msgspec.json.decode(release.with_suffix(".json").read_bytes())

    assert now.keys() == before.keys()
    changed = [
        stream
        for stream, parts in before.items()
        if not all(same(a, b) for a, b in zip(now[stream], parts, strict=True))
    ]
    assert changed == []


def test_each_migration_is_logged(old: Path, caplog: pytest.LogCaptureFixture) -> None:
    before = version_of(old)
    with caplog.at_level(logging.WARNING, "hubbub.journal"):
        SQLiteStore(old).close()
        SQLiteStore(old).close()

    assert [record.message for record in caplog.records] == [
        f"migrated the database to version {one.version}: {one.what}" for one in pending(before)
    ]


def test_a_migration_that_fails_leaves_the_database_as_it_was(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(database: apsw.Connection) -> None:
        database.execute("DROP TABLE used")
        database.execute("INSERT INTO nowhere VALUES (1)")

    before = version_of(old)
    monkeypatch.setattr(migrations, "MIGRATIONS", [Migration(SCHEMA_VERSION, "0.2.0", "", fail)])
    with pytest.raises(StorageError, match="nowhere"):
        open_writer(old, "hubbub.db")
    monkeypatch.undo()

    assert version_of(old) == before
    store = SQLiteStore(old)
    assert store.used("ann", "lobby") is not None
    store.close()


def test_every_version_leads_to_the_next_one() -> None:
    versions = [one.version for one in MIGRATIONS]

    assert versions == list(range(versions[0], SCHEMA_VERSION + 1))
    assert pending(SCHEMA_VERSION) == []
    assert [one.version for one in pending(SCHEMA_VERSION - 1)] == [SCHEMA_VERSION]


@pytest.mark.parametrize(
    ("release", "wanted"),
    [
        ("0.9.1", "Install Hubbub 0.9.1 or newer"),
        (None, "Install Hubbub 0.3.0 or newer"),
        ("evil; pip install", "Install a newer Hubbub"),
    ],
)
def test_a_newer_version_is_refused_with_the_release_to_install(
    old: Path, release: str | None, wanted: str
) -> None:
    SQLiteStore(old).close()
    set_version(old, 99, release)
    with pytest.raises(StorageError) as refused:
        SQLiteStore(old)

    assert "hubbub.db is a hubbub database of version 99" in refused.value.message
    assert wanted in refused.value.message
    assert version_of(old) == 99


def drop_meta(path: Path) -> None:
    database = apsw.Connection(str(path))
    database.execute("DROP TABLE meta")
    database.pragma("user_version", 99)
    database.close()


def make_too_old(path: Path) -> None:
    set_version(path, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [(drop_meta, "Install a newer Hubbub"), (make_too_old, "from before the first release")],
)
def test_what_cannot_be_migrated_is_left_as_it_is(
    old: Path, change: Callable[[Path], None], message: str
) -> None:
    change(old)
    before = old.read_bytes()
    with pytest.raises(StorageError, match=message):
        SQLiteStore(old)

    assert old.read_bytes() == before
