"""The server and the user of a command."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import pytest
import typer
from anyio import to_thread
from typer.testing import CliRunner, Result

from hubbub import NotAllowed
from hubbub.cli.account import (
    Account,
    Fresh,
    Nickname,
    Token,
    TokenFile,
    Url,
    account_of,
    server_and_rest,
    sign_in_at,
)
from hubbub.cli.tokens import keep_token, kept_token
from tests.cli.paper import Paper


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


async def who(account: Account) -> tuple[str, str, list[str]]:
    """Sign in and out; return the user's id, the nickname and what was shown."""
    paper = Paper()
    async with AsyncExitStack() as stack:
        user = (await sign_in_at(account, stack, paper)).user
    return user.id, user.nickname, paper.shown


async def test_a_nickname_comes_back_as_the_same_user(address: str) -> None:
    first, again = [await who(Account(address, "Ann", None, False)) for _ in range(2)]

    assert first == again
    assert first[1:] == ("Ann", [])


async def test_who_wants_to_be_new_is_and_stays_it(address: str) -> None:
    first = await who(Account(address, "Ann", None, False))
    fresh = await who(Account(address, "Ann", None, True))
    later = await who(Account(address, "Ann", None, False))

    assert first[0] != fresh[0] == later[0]


async def test_without_a_nickname_it_is_the_login_name(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "ann")

    assert (await who(Account(address, None, None, False)))[1] == "ann"


async def test_without_a_login_name_one_is_a_guest(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> str:
        raise OSError

    monkeypatch.setattr("getpass.getuser", nobody)

    assert (await who(Account(address, None, None, False)))[1] == "guest"


async def test_a_given_token_says_who_one_is_and_is_not_kept(address: str) -> None:
    user, _, _ = await who(Account(address, "Ann", None, False))
    token = await to_thread.run_sync(kept_token, address, "Ann")
    given, nickname, _ = await who(Account(address, "Anna", token, False))

    assert (given, nickname) == (user, "Anna")
    assert await to_thread.run_sync(kept_token, address, "Anna") is None


async def test_a_given_token_that_is_not_good_is_refused(address: str) -> None:
    with pytest.raises(NotAllowed):
        await who(Account(address, "Ann", "not.a.token", False))


async def test_a_kept_token_that_is_not_good_any_more_makes_one_new(address: str) -> None:
    await to_thread.run_sync(keep_token, address, "Ann", "not.a.token")
    new, _, shown = await who(Account(address, "Ann", None, False))
    again, _, nothing = await who(Account(address, "Ann", None, False))

    assert shown == ["* The stored token of Ann is not valid any more: a new user."]
    assert (again, nothing) == (new, [])


async def test_who_cannot_be_kept_is_told(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    _, nickname, shown = await who(Account(address, "Ann", None, False))

    assert nickname == "Ann"
    assert shown[0].startswith("* Your token cannot be stored, so you will be a new user: ")


app = typer.Typer()


@app.command()
def named(
    context: typer.Context,
    url: Url = None,
    rest: Annotated[str | None, typer.Argument()] = None,
    nickname: Nickname = None,
    token_file: TokenFile = None,
    fresh: Fresh = False,
    token: Token = None,
) -> None:
    """Show the account, and the other argument."""
    server, rest = server_and_rest(context, url, rest)
    account = account_of(server, nickname, token_file, fresh=fresh, reads_input=False)
    typer.echo(f"{account.url} {rest} {account.nickname} {account.token} {account.fresh}")


def shown(*args: str, typed: str = "", **variables: str) -> Result:
    env = {"HUBBUB_URL": None, "HUBBUB_TOKEN": None, **variables}
    return CliRunner(env=env).invoke(app, args, input=typed)


@pytest.mark.parametrize(
    ("args", "url", "rest"),
    [
        (["localhost:8000"], "http://localhost:8000", "None"),
        (["example.org", "Lobby"], "https://example.org", "Lobby"),
        (["http://example.org", "Lobby"], "http://example.org", "Lobby"),
    ],
)
def test_the_first_argument_is_the_server(args: list[str], url: str, rest: str) -> None:
    assert shown(*args).stdout.split()[:2] == [url, rest]


@pytest.mark.parametrize(
    ("args", "url", "rest"),
    [
        ([], "https://default", "None"),
        (["Lobby"], "https://default", "Lobby"),
        (["example.org"], "https://default", "example.org"),
        (["localhost:8000"], "http://localhost:8000", "None"),
        (["https://example.org"], "https://example.org", "None"),
        (["example.org", "Lobby"], "https://example.org", "Lobby"),
    ],
)
def test_with_a_server_in_the_environment_a_single_name_is_the_other_argument(
    args: list[str], url: str, rest: str
) -> None:
    assert shown(*args, HUBBUB_URL="default").stdout.split()[:2] == [url, rest]


def test_without_any_server_it_says_how_to_name_one() -> None:
    result = shown()

    assert result.exit_code == 2
    assert "Missing argument 'URL'. Name the server, or set HUBBUB_URL." in result.stderr


def test_a_token_comes_from_the_environment() -> None:
    assert shown("localhost", HUBBUB_TOKEN="abc").stdout.split()[3] == "abc"


def test_a_token_file_goes_before_the_environment(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file\n")
    result = shown("localhost", "--token-file", str(tmp_path / "token"), HUBBUB_TOKEN="abc")

    assert result.stdout.split()[3] == "from-file"


def test_a_token_can_come_from_the_standard_input() -> None:
    assert shown("localhost", "--token-file", "-", typed="typed\n").stdout.split()[3] == "typed"


@pytest.mark.parametrize(
    ("file", "complaint"), [("none", "cannot be read"), ("-", "There is no token")]
)
def test_a_file_without_a_token_is_refused(file: str, complaint: str) -> None:
    result = shown("localhost", "--token-file", file)

    assert result.exit_code == 2
    assert complaint in result.stderr


def test_a_command_that_reads_its_input_takes_no_token_from_it() -> None:
    with pytest.raises(typer.BadParameter, match="reads what you type"):
        account_of("localhost", None, Path("-"), fresh=False)


def test_a_token_on_the_command_line_is_refused_and_not_repeated() -> None:
    result = shown("localhost", "--token", "swordfish")

    assert result.exit_code == 2
    assert "HUBBUB_TOKEN" in result.stderr
    assert "swordfish" not in result.stderr
