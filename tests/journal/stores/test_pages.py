"""The pages of a file, with the newer versions in the log beside it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from hubbub.journal.stores.pages import open_pages

PAGE = 4096
LOG_HEADER, FRAME_HEADER = 32, 24


@pytest.fixture
def crashed(tmp_path: Path) -> Path:
    """A database that was never closed: three transactions are in its log alone."""
    path, copy = tmp_path / "some.db", tmp_path / "crashed.db"
    with closing(apsw.Connection(str(path))) as connection:
        connection.pragma("journal_mode", "wal")
        connection.execute("CREATE TABLE t (a)")
        connection.execute("INSERT INTO t VALUES ('one')")
        connection.execute("INSERT INTO t VALUES ('two')")
        for suffix in ("", "-wal"):
            shutil.copy(f"{path}{suffix}", f"{copy}{suffix}")
    return copy


def second_page(path: Path) -> bytes:
    with open_pages(path) as pages:
        return pages.page(2)


def test_the_newest_committed_version_of_a_page_counts(crashed: Path) -> None:
    page = second_page(crashed)

    assert b"one" in page
    assert b"two" in page


def test_it_is_what_sqlite_makes_of_the_log(crashed: Path) -> None:
    page = second_page(crashed)
    with closing(apsw.Connection(str(crashed))) as connection:
        connection.pragma("journal_mode", "delete")

    assert second_page(crashed) == page


def change_frame(log: bytearray) -> None:
    log[-10] ^= 1


def cut_frame(log: bytearray) -> None:
    del log[-10:]


def change_salt(log: bytearray) -> None:
    log[LOG_HEADER + 3 * (FRAME_HEADER + PAGE) + 8] ^= 1


@pytest.mark.parametrize("change", [change_frame, cut_frame, change_salt])
def test_from_a_damaged_frame_on_the_log_is_ignored(
    crashed: Path, change: Callable[[bytearray], None]
) -> None:
    path = crashed.with_name(f"{crashed.name}-wal")
    log = bytearray(path.read_bytes())
    change(log)
    path.write_bytes(log)
    page = second_page(crashed)

    assert b"one" in page
    assert b"two" not in page


@pytest.mark.parametrize("place", [0, 9, 20, 28])
def test_a_log_with_a_damaged_head_is_ignored(crashed: Path, place: int) -> None:
    path = crashed.with_name(f"{crashed.name}-wal")
    log = bytearray(path.read_bytes())
    log[place] ^= 0x10
    path.write_bytes(log)

    assert b"one" not in second_page(crashed)


def test_a_page_that_is_not_there_is_empty(crashed: Path) -> None:
    with open_pages(crashed) as pages:
        assert pages.page(0) == pages.page(pages.count + 1) == b""


def test_a_page_that_was_cut_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "cut.db"
    path.write_bytes(bytes(PAGE + 100))
    with open_pages(path) as pages:
        assert pages.count == 1
        assert pages.page(2) == b""


def test_an_empty_file_has_no_page(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.touch()
    with open_pages(path) as pages:
        assert pages.count == 0


@pytest.mark.parametrize("size", [512, 1024, 65536])
def test_the_size_of_a_page_is_in_the_header(tmp_path: Path, size: int) -> None:
    path = tmp_path / "some.db"
    with closing(apsw.Connection(str(path))) as connection:
        connection.pragma("page_size", size)
        connection.execute("CREATE TABLE t (a)")
    with open_pages(path) as pages:
        assert pages.page_bytes == size
