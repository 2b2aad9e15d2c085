"""Tokens that are kept for the next time."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from hubbub.cli.tokens import keep_token, kept_token, tokens_directory

HERE = "http://127.0.0.1:8000"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def test_at_first_there_is_none() -> None:
    assert kept_token(HERE, "ann") is None


def test_what_is_kept_is_found_again() -> None:
    keep_token(HERE, "ann", "secret")

    assert kept_token(HERE, "ann") == "secret"


def test_the_newest_one_counts() -> None:
    keep_token(HERE, "ann", "old")
    keep_token(HERE, "ann", "new")

    assert kept_token(HERE, "ann") == "new"


def test_a_slash_at_the_end_of_the_address_makes_no_difference() -> None:
    keep_token(f"{HERE}/", "ann", "secret")

    assert kept_token(HERE, "ann") == "secret"


@pytest.mark.parametrize(("url", "name"), [(HERE, "bob"), ("http://other:8000", "ann")])
def test_it_is_for_one_nickname_at_one_server(url: str, name: str) -> None:
    keep_token(HERE, "ann", "secret")

    assert kept_token(url, name) is None


@pytest.mark.parametrize("name", ["../../etc/passwd", "x" * 100, "a/b", "é\n👋", "."])
def test_a_nickname_may_have_any_characters(name: str) -> None:
    keep_token(HERE, name, "secret")

    assert kept_token(HERE, name) == "secret"
    assert [path.parent for path in tokens_directory().rglob("*")] == [tokens_directory()]


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff"])
def test_what_is_no_token_is_none(content: bytes) -> None:
    keep_token(HERE, "ann", "secret")
    [path] = tokens_directory().iterdir()
    path.write_bytes(content)

    assert kept_token(HERE, "ann") is None


def test_where_none_can_be_kept_there_is_none() -> None:
    tokens_directory().parent.mkdir(parents=True)
    tokens_directory().touch()

    assert kept_token(HERE, "ann") is None
    with pytest.raises(OSError, match="tokens"):
        keep_token(HERE, "ann", "secret")


def test_nobody_else_may_read_it() -> None:
    keep_token(HERE, "ann", "secret")
    [path] = tokens_directory().iterdir()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(tokens_directory().stat().st_mode) == 0o700
