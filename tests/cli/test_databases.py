from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from hubbub.cli.app import app
from hubbub.cli.databases import check_ready, is_url, opened_database, shown_database
from hubbub.errors import Invalid, NotFound, StorageError
from hubbub.stores import SQLiteStore

URL = "postgresql://ann:secret@db.example:5433/chat"


@pytest.mark.parametrize(
    ("db", "shown"),
    [
        ("hubbub.db", "hubbub.db"),
        ("postgresql://ann:secret@db.example:5433/chat", "postgresql://db.example:5433/chat"),
        ("postgresql://db.example/chat?password=secret", "postgresql://db.example/chat"),
    ],
)
def test_a_database_is_shown_without_its_password(db: str, shown: str) -> None:
    assert shown_database(db) == shown
    assert is_url(db) is (db != "hubbub.db")


def test_a_file_is_opened_to_read(tmp_path: Path) -> None:
    path = tmp_path / "hubbub.db"
    SQLiteStore(path).close()
    with opened_database(str(path)) as store:
        assert list(store.streams()) == []


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        check_ready(str(tmp_path / "none.db"))
    with pytest.raises(NotFound), opened_database(str(tmp_path / "none.db")):
        pass


@pytest.mark.parametrize(
    "command",
    [
        ["backup", URL, "copy.db"],
        ["restore", "copy.db", URL],
        ["compact", URL],
        ["migrate", URL],
        ["repair", URL, "new.db"],
    ],
    ids=lambda command: command[0],
)
def test_a_command_for_files_refuses_a_server_without_its_password(command: list[str]) -> None:
    done = CliRunner().invoke(app, command)

    assert done.exit_code == 2
    assert "only for files" in done.output
    assert "secret" not in done.output


def test_what_is_only_in_memory_cannot_be_read() -> None:
    with pytest.raises(Invalid, match="keeps nothing"), opened_database("memory://"):
        pass


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(StorageError, match="9"), opened_database("postgresql://127.0.0.1:9/chat"):
        pass
