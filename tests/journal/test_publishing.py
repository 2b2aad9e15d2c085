"""A database gets its name only when it is complete."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubbub.errors import Conflict
from hubbub.journal.publishing import held, partial_file, publish_file


def test_a_complete_file_gets_its_name(tmp_path: Path) -> None:
    target = tmp_path / "hubbub.db"
    with partial_file(target) as partial:
        partial.write_bytes(b"complete")
        publish_file(partial, target, force=False)

    assert target.read_bytes() == b"complete"
    assert [path.name for path in tmp_path.iterdir()] == ["hubbub.db"]


def test_an_incomplete_file_is_removed(tmp_path: Path) -> None:
    class Stopped(Exception):
        """The writer gives up."""

    def write() -> None:
        with partial_file(tmp_path / "hubbub.db") as partial:
            partial.write_bytes(b"half")
            raise Stopped

    with pytest.raises(Stopped):
        write()

    assert list(tmp_path.iterdir()) == []


def test_a_file_that_came_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    target = tmp_path / "hubbub.db"
    with partial_file(target) as partial:
        target.write_bytes(b"other")
        with pytest.raises(Conflict, match="just been created"):
            publish_file(partial, target, force=False)

    assert target.read_bytes() == b"other"


def test_two_writers_exclude_each_other(tmp_path: Path) -> None:
    target = tmp_path / "hubbub.db"
    with (
        partial_file(target),
        pytest.raises(Conflict, match="being written"),
        partial_file(target),
    ):
        pytest.fail("there is another writer")


def test_an_open_database_cannot_be_held(tmp_path: Path) -> None:
    target = tmp_path / "hubbub.db"
    with held(target), pytest.raises(Conflict, match="stop the server"), held(target):
        pytest.fail("it is held already")
