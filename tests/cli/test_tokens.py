"""Tokens that are kept for the next time."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from anyio import to_thread

from hubbub import Settings
from hubbub.cli.tokens import KeptTokens, keep_token, kept_token, newest, tokens_directory
from hubbub.server.auth.tokens import Identity, Tokens

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


@pytest.fixture
def _no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def modes(top: Path) -> dict[str, int]:
    """Return the permissions of everything under a directory."""
    return {str(one.relative_to(top)): stat.S_IMODE(one.stat().st_mode) for one in top.rglob("*")}


@pytest.mark.usefixtures("_no_umask")
def test_nobody_else_may_read_it_or_replace_it_whatever_the_umask_is(tmp_path: Path) -> None:
    keep_token(HERE, "ann", "secret")

    found = modes(tmp_path)
    assert {mode & 0o077 for mode in found.values()} == {0}
    assert len(found) == 4


def test_a_directory_that_others_may_read_is_made_private() -> None:
    tokens_directory().mkdir(parents=True, mode=0o755)
    keep_token(HERE, "ann", "secret")

    assert stat.S_IMODE(tokens_directory().stat().st_mode) == 0o700


def test_a_link_in_the_place_of_a_token_is_replaced_and_not_followed(tmp_path: Path) -> None:
    keep_token(HERE, "ann", "old")
    [path] = tokens_directory().iterdir()
    victim = tmp_path / "victim"
    victim.write_text("precious")
    path.unlink()
    path.symlink_to(victim)
    # The name that a half-written file had before could be guessed.
    path.with_name(f"{path.name}.{os.getpid()}").symlink_to(victim)
    keep_token(HERE, "ann", "new")

    assert victim.read_text() == "precious"
    assert not path.is_symlink()
    assert kept_token(HERE, "ann") == "new"


def test_no_half_of_a_file_is_left() -> None:
    keep_token(HERE, "ann", "old")
    [path] = tokens_directory().iterdir()
    path.unlink()
    path.mkdir()
    with pytest.raises(OSError, match="directory"):
        keep_token(HERE, "ann", "new")

    assert list(tokens_directory().iterdir()) == [path]


@cache
def token(session: str, generation: int) -> str:
    tokens = Tokens("s" * 64, Settings())
    return tokens.refresh_token(Identity("ann", session=session), generation)


async def test_the_newest_token_of_a_sign_in_is_found_by_an_older_one() -> None:
    given = KeptTokens(HERE, None, token("1", 0), failing)
    await given.save(token("1", 1))
    another = KeptTokens(HERE, None, token("1", 0), failing)

    assert await another.load() == token("1", 1)
    other = token("2", 0)
    assert await to_thread.run_sync(newest, HERE, other) == other


async def test_a_nickname_s_token_that_was_given_elsewhere_stays_the_newest() -> None:
    by_name = KeptTokens(HERE, "ann", None, failing)
    await by_name.save(token("1", 0))
    given = KeptTokens(HERE, None, token("1", 0), failing)
    await given.save(token("1", 1))

    assert await to_thread.run_sync(kept_token, HERE, "ann") == token("1", 1)
    await by_name.save(token("1", 2))
    assert await to_thread.run_sync(kept_token, HERE, "ann") == token("1", 2)
    assert await given.load() == token("1", 2)


async def test_that_a_token_cannot_be_kept_is_told_and_no_error() -> None:
    tokens_directory().parent.mkdir(parents=True)
    tokens_directory().touch()
    told = list[OSError]()
    await KeptTokens(HERE, "ann", None, told.append).save("secret")

    assert len(told) == 1


def failing(error: OSError) -> None:
    raise error
