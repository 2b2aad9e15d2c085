"""The first lines of a server, and why it cannot listen."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from hubbub.cli.announcement import announcement, cannot_listen, describe_database


def test_it_says_the_address_the_database_the_backend_and_how_to_stop() -> None:
    assert announcement("http://127.0.0.1:8000", "/a/hubbub.db (new)", "trio").splitlines() == [
        "Hubbub serves http://127.0.0.1:8000",
        "  Database: /a/hubbub.db (new)",
        "  Backend:  trio",
        "  Press Ctrl+C to stop.",
    ]


def test_a_database_has_its_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert describe_database("hubbub.db") == f"{tmp_path}/hubbub.db (new)"


@pytest.mark.parametrize(
    ("size", "shown"),
    [(0, "new"), (999, "999 bytes"), (65_536, "65.5 kB"), (3_200_000, "3.2 MB")],
)
def test_an_existing_database_has_its_size(tmp_path: Path, size: int, shown: str) -> None:
    with (tmp_path / "hubbub.db").open("wb") as file:
        file.truncate(size)

    assert describe_database(f"{tmp_path}/hubbub.db") == f"{tmp_path}/hubbub.db ({shown})"


def test_a_database_in_memory_is_lost() -> None:
    assert describe_database("memory://") == "in memory, lost when the server stops"


def test_a_database_on_a_server_is_named_without_its_user_and_password() -> None:
    url = "postgresql://ann:s3cret@one.example:6543,other.example/chat?sslmode=require"

    assert describe_database(url) == "PostgreSQL, chat at one.example:6543,other.example"


@pytest.mark.parametrize(
    ("port", "number", "advice"),
    [
        (8000, errno.EADDRINUSE, "choose another port: --port 8001."),
        (65535, errno.EADDRINUSE, "choose another port: --port 0."),
        (80, errno.EACCES, "choose one from 1024."),
        (8000, errno.EADDRNOTAVAIL, "Choose an address of this machine with --host"),
    ],
)
def test_why_it_cannot_listen_comes_with_what_to_do(port: int, number: int, advice: str) -> None:
    text = cannot_listen("127.0.0.1", port, OSError(number, "the reason (while attempting …)"))

    assert advice in text
    assert "while" not in text
