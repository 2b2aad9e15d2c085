"""Upgrading a database: what is planned, the backup, and reading without an upgrade."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pytest

from hubbub.errors import Conflict, NotFound, StorageError
from hubbub.journal.stores.migrations import SCHEMA_VERSION, pending
from hubbub.journal.stores.sqlite import SQLiteStore
from hubbub.journal.upgrade import open_as_it_is, plan_upgrade, upgrade
from tests.journal.golden.make import GOLDEN

VERSION = 3


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return Path(shutil.copy(GOLDEN / "0.1.0.db", tmp_path / "hubbub.db"))


def test_a_plan_changes_nothing(old: Path) -> None:
    before = old.read_bytes()
    plan = plan_upgrade(old)

    assert (plan.version, plan.target) == (VERSION, SCHEMA_VERSION)
    assert plan.migrations == pending(VERSION)
    assert old.read_bytes() == before


def test_the_backup_is_the_database_from_before(old: Path) -> None:
    copy = upgrade(old)

    assert copy == old.with_name("hubbub.db.v3")
    assert plan_upgrade(copy).version == VERSION
    assert plan_upgrade(old).migrations == []


def test_the_backup_of_an_earlier_attempt_stays(old: Path) -> None:
    earlier = old.with_name("hubbub.db.v3")
    earlier.write_text("precious")

    assert upgrade(old) == old.with_name("hubbub.db.v3.1")
    assert earlier.read_text() == "precious"


def test_no_backup_is_made_if_none_is_wanted_or_needed(old: Path) -> None:
    assert upgrade(old, keeps_backup=False) is None
    assert upgrade(old) is None
    assert not list(old.parent.glob("*.v*"))
    assert plan_upgrade(old).migrations == []


def test_a_database_that_is_open_is_not_upgraded(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "hubbub.db")
    try:
        with pytest.raises(Conflict, match="open"):
            upgrade(tmp_path / "hubbub.db")
        assert plan_upgrade(tmp_path / "hubbub.db").migrations == []
    finally:
        store.close()


@pytest.mark.parametrize("content", [None, b""])
def test_a_database_that_is_not_there_is_not_made(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "hubbub.db"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(NotFound, match="There is no database"):
        upgrade(path)

    assert path.exists() == (content is not None)
    assert not list(tmp_path.glob("*.lock"))


def test_a_foreign_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "letter.db"
    path.write_text("This is a letter to my aunt.\n" * 100)
    with pytest.raises(StorageError, match="cannot be read"):
        plan_upgrade(path)


def test_to_read_an_old_database_leaves_it_as_it_is(
    old: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = old.read_bytes()
    with caplog.at_level(logging.INFO), open_as_it_is(old) as store:
        events = sum(count for _, count in store.streams())

    assert events > 300
    assert caplog.records == []
    assert old.read_bytes() == before
    # SQLite leaves its own log beside what it has read.
    assert {
        path.name.removesuffix("-wal").removesuffix("-shm") for path in old.parent.iterdir()
    } == {"hubbub.db"}


def test_a_database_of_the_present_version_is_read_where_it_is(old: Path) -> None:
    upgrade(old, keeps_backup=False)
    with open_as_it_is(old) as store:
        assert store.path == old
