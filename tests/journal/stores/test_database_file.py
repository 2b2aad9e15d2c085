from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hubbub.errors import Conflict, StorageError
from hubbub.journal.stores.contract import Batch
from hubbub.journal.stores.sqlite import SQLiteStore
from tests.journal.stores.test_sqlite import open_elsewhere
from tests.journal.tally import record

FILES = ["hubbub.db", "hubbub.db-wal", "hubbub.db-shm", "hubbub.db.lock"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hubbub.db"


def by_symlink(path: Path) -> Path:
    other = path.with_name("symlink.db")
    other.symlink_to(path)
    return other


def by_hard_link(path: Path) -> Path:
    other = path.with_name("hardlink.db")
    other.hardlink_to(path)
    return other


def by_directory(path: Path) -> Path:
    other = path.parent.with_name(f"{path.parent.name}-link")
    other.symlink_to(path.parent)
    return other / path.name


def by_spelling(path: Path) -> Path:
    return path.parent / ".." / path.parent.name / "." / path.name


LINKS = [by_symlink, by_hard_link, by_directory, by_spelling]
links = pytest.mark.parametrize("link", LINKS, ids=lambda link: link.__name__)


# One at a time


@links
def test_by_any_other_name_it_is_open_still(path: Path, link: Callable[[Path], Path]) -> None:
    store = SQLiteStore(path)
    other = link(path)
    with pytest.raises(Conflict):
        SQLiteStore(other)
    refused = open_elsewhere(other)
    store.commit(Batch([record("room/1", 1)]))
    store.close()

    assert (refused, open_elsewhere(path)) == (42, 0)


@links
def test_the_other_name_keeps_the_first_one_out(path: Path, link: Callable[[Path], Path]) -> None:
    SQLiteStore(path).close()
    store = SQLiteStore(link(path))
    with pytest.raises(Conflict):
        SQLiteStore(path)
    refused = open_elsewhere(path)
    store.close()

    assert (refused, open_elsewhere(path)) == (42, 0)


def test_a_refused_opening_leaves_the_locks_of_the_open_one(path: Path) -> None:
    store = SQLiteStore(path)
    other = by_hard_link(path)
    for _ in range(3):
        with pytest.raises(Conflict):
            SQLiteStore(other)

    # To close a file loses every lock that the process has on it: SQLite's would be gone.
    code = "import apsw, sys; apsw.Connection(sys.argv[1]).pragma('journal_mode', 'delete')"
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False
    )
    assert "BusyError" in done.stderr or "locked" in done.stderr
    store.commit(Batch([record("room/1", 1)]))
    store.close()


# Its owner's alone


def modes(path: Path) -> dict[str, int]:
    return {
        name: stat.S_IMODE(path.with_name(name).stat().st_mode)
        for name in FILES
        if path.with_name(name).exists()
    }


@pytest.mark.parametrize("umask", [0o022, 0o000, 0o077])
def test_nobody_else_may_read_a_new_database(path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        store = SQLiteStore(path)
        store.commit(Batch([record("room/1", 1)]))
        store.read("room/1", 0, 1)
        found = modes(path)
    finally:
        os.umask(before)
    store.close()

    assert found == dict.fromkeys(FILES, 0o600)


def test_an_older_database_is_tightened(path: Path) -> None:
    SQLiteStore(path).close()
    for name in ("hubbub.db", "hubbub.db.lock"):
        path.with_name(name).chmod(0o644)
    store = SQLiteStore(path)
    store.commit(Batch([record("room/1", 1)]))
    found = modes(path)
    store.close()

    assert found == dict.fromkeys(FILES, 0o600)


# Watched


def delete(path: Path) -> None:
    path.unlink()


def delete_all(path: Path) -> None:
    for name in FILES[:3]:
        path.with_name(name).unlink()


def delete_log(path: Path) -> None:
    path.with_name("hubbub.db-wal").unlink()


def replace(path: Path) -> None:
    other = path.with_name("other.db")
    SQLiteStore(other).close()
    other.replace(path)


def move(path: Path) -> None:
    path.rename(path.with_name("moved.db"))


def move_and_make_another(path: Path) -> None:
    move(path)
    path.touch()


def cut_off(path: Path) -> None:
    os.truncate(path, 0)


@pytest.mark.parametrize(
    "harm",
    [delete, delete_all, delete_log, replace, move, move_and_make_another, cut_off],
    ids=lambda harm: harm.__name__,
)
def test_what_is_written_nowhere_is_not_acknowledged(
    path: Path, harm: Callable[[Path], None]
) -> None:
    store = SQLiteStore(path)
    for seq in range(1, 200):
        store.commit(Batch([record("room/1", seq, text="x" * 2_000)]))
    harm(path)
    uses: list[Callable[[], object]] = [
        store.check,
        lambda: store.commit(Batch([record("room/2", 1)])),
        # Else one of these would tell that the store works.
        store.catch_up,
        lambda: store.expire(0),
        lambda: store.load("room/1"),
        lambda: store.read("room/1", 0, 10),
    ]
    for use in uses:
        for _ in range(2):
            with pytest.raises(StorageError) as error:
                use()

            assert "hubbub.db" not in error.value.message
    store.close()


def test_a_file_that_only_grows_is_the_same(path: Path) -> None:
    store = SQLiteStore(path)
    for seq in range(1, 400):
        store.commit(Batch([record("room/1", seq, text="x" * 20_000)]))
    store.check()

    assert len(store.read("room/1", 0, 9_999)) == 399
    store.close()


def test_a_directory_that_does_not_exist_is_an_error_and_is_not_created(path: Path) -> None:
    missing = path.parent / "missing"
    with pytest.raises(StorageError, match=f"there is no directory {missing}. Create it"):
        SQLiteStore(missing / "hubbub.db")

    assert not missing.exists()
