"""``hubbub users``, on a file and at a server."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import anyio
import msgspec
import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

import hubbub
from hubbub.cli.app import app
from hubbub.cli.first_admin import PASSWORD_VARIABLE
from hubbub.cli.users import USER_PASSWORD_VARIABLE, users_table
from hubbub.errors import NotAllowed
from tests.cli.program import program
from tests.journal.golden.make import GOLDEN

PASSWORD = "correct horse battery"
NEW = "a new password"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HUBBUB_DB", "HUBBUB_URL", "HUBBUB_TOKEN", PASSWORD_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv(USER_PASSWORD_VARIABLE, PASSWORD)


def make_database(folder: Path) -> Path:
    """Make a database that has one guest."""
    path = folder / "hubbub.db"

    async def fill() -> None:
        async with hubbub.open(str(path)) as hub, hub.session("guest", nickname="Gus"):
            pass

    anyio.run(fill)
    return path


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return make_database(tmp_path)


def run(*arguments: object, typed: str | None = None) -> Result:
    return CliRunner().invoke(app, ["users", *map(str, arguments)], input=typed)


def listed(*arguments: object) -> list[dict[str, object]]:
    result = run("list", "--json", *arguments)
    assert result.exit_code == 0, result.stderr
    return [msgspec.json.decode(line) for line in result.stdout.splitlines()]


def signs_in(db: Path, name: str, password: str) -> bool:
    async def sign_in() -> bool:
        async with hubbub.open(str(db)) as hub:
            try:
                user = await hub.accounts.sign_in(name, password, "here")
                async with hub.session(user):
                    return True
            except NotAllowed:
                return False

    return anyio.run(sign_in)


# A database


def test_a_user_is_created_and_listed(db: Path) -> None:
    made = run("create", "Zoë", "--role", "moderator", "--db", db)
    by_nickname = {one["nickname"]: one for one in listed("--db", db)}

    assert made.exit_code == 0
    assert re.fullmatch(r"Created Zoë with the role moderator and the id \S{26}\.\n", made.stdout)
    assert by_nickname.keys() == {"Gus", "Zoë"}
    zoe = by_nickname["Zoë"]
    assert (zoe["account"], zoe["role"], zoe["disabled"]) == ("Zoë", "moderator", False)
    assert signs_in(db, "zoë", PASSWORD)


def test_an_operator_leaves_no_user_behind(db: Path) -> None:
    for _ in range(2):
        assert [one["id"] for one in listed("--db", db)] == ["guest"]


def test_the_database_may_be_named_in_the_environment(
    db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUBBUB_DB", str(db))

    assert [one["id"] for one in listed()] == ["guest"]


def test_an_option_counts_more_than_the_environment(
    db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUBBUB_URL", "http://127.0.0.1:9")
    both = run("list", "--db", db, "--url", "http://127.0.0.1:9")

    assert [one["id"] for one in listed("--db", db)] == ["guest"]
    assert (both.exit_code, "not both" in both.stderr) == (1, True)


def test_a_password_comes_from_a_file_or_the_standard_input(
    db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("create", "Ann", "--db", db)
    monkeypatch.delenv(USER_PASSWORD_VARIABLE)
    (tmp_path / "secret").write_text(f"{NEW}\nand a comment\n")
    by_file = run("set-password", "ANN", "--password-file", tmp_path / "secret", "--db", db)
    after_file = signs_in(db, "Ann", NEW), signs_in(db, "Ann", PASSWORD)
    by_stdin = run("set-password", "Ann", "--password-file", "-", "--db", db, typed="third one\n")

    assert (by_file.exit_code, by_stdin.exit_code) == (0, 0)
    assert by_file.stdout == "Ann has a new password; all earlier sign-ins are revoked.\n"
    assert after_file == (True, False)
    assert signs_in(db, "Ann", "third one")


def test_without_a_terminal_a_password_is_not_asked_for(
    db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(USER_PASSWORD_VARIABLE)
    (tmp_path / "empty").touch()
    unasked = run("create", "Ann", "--db", db)
    empty = run("create", "Ann", "--db", db, "--password-file", tmp_path / "empty")
    absent = run("create", "Ann", "--db", db, "--password-file", tmp_path / "none")

    assert (unasked.exit_code, empty.exit_code, absent.exit_code) == (1, 1, 1)
    assert USER_PASSWORD_VARIABLE in unasked.stderr
    assert "is empty" in empty.stderr
    assert "cannot be read" in absent.stderr


def test_no_option_takes_a_password() -> None:
    for command in ("create", "set-password"):
        shown = run(command, "--help").output
        assert set(re.findall(r"--pass[a-z-]*", shown)) == {"--password-file"}


def test_a_role_is_given(db: Path) -> None:
    given = run("role", "guest", "admin", "--db", db)
    unknown = run("role", "guest", "king", "--db", db)

    assert given.stdout == "Gus has the role admin now.\n"
    assert [one["role"] for one in listed("--db", db)] == ["admin"]
    assert unknown.exit_code == 2


def test_a_disabled_user_cannot_sign_in_until_enabled(db: Path) -> None:
    run("create", "Ann", "--db", db)
    disabled = run("disable", "Ann", "--db", db)
    while_disabled = signs_in(db, "Ann", PASSWORD)
    enabled = run("enable", "Ann", "--db", db)

    assert disabled.stdout == "Ann is disabled; all sign-ins are revoked.\n"
    assert enabled.stdout == "Ann can sign in again.\n"
    assert (while_disabled, signs_in(db, "Ann", PASSWORD)) == (False, True)


@pytest.mark.parametrize(
    "command", [("disable",), ("enable",), ("set-password",), ("role",)], ids=lambda one: one[0]
)
def test_a_user_who_is_not_there_is_told_in_one_line(db: Path, command: tuple[str, ...]) -> None:
    more = ["user"] if command == ("role",) else []
    result = run(*command, "nobody", *more, "--db", db)

    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith("There is no user 'nobody'")


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    result = run("list", "--db", tmp_path / "none.db")

    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert not (tmp_path / "none.db").exists()


def test_an_old_database_is_not_migrated_by_the_way(tmp_path: Path) -> None:
    old = shutil.copy(GOLDEN / "0.1.0.db", tmp_path / "old.db")
    result = run("list", "--db", old)

    assert (result.exit_code, result.stderr) == (
        1,
        f"An older Hubbub made {old}; run `hubbub migrate {old}` first.\n",
    )


# A server


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Serve a database that has an admin called root; give the address and the database."""
    path = make_database(tmp_path_factory.mktemp("served"))
    arguments = ("--db", path, "--port", 0, "--admin", "root")
    with program(path.parent, "serve", *arguments, HUBBUB_ADMIN_PASSWORD=PASSWORD) as server:
        yield server.line_with("Hubbub serves").split()[2], path


@pytest.fixture
def address(served: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the address of the server, where the password of the admin is known."""
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    return served[0]


def test_a_database_that_is_served_is_refused_with_what_to_do(served: tuple[str, Path]) -> None:
    _, db = served
    result = run("list", "--db", db)

    assert (result.exit_code, result.stderr) == (
        1,
        f"A server has {db} open. Stop the server, or use --url with its address.\n",
    )


def test_the_same_commands_work_at_a_server(address: str) -> None:
    at = ("--url", address, "--admin", "root")
    results = [
        run("create", "Ann", *at),
        run("role", "Ann", "moderator", *at),
        run("set-password", "Ann", *at),
        run("disable", "Ann", *at),
    ]
    found = {one["nickname"]: one for one in listed("--url", address[7:], "--admin", "root")}
    refused = run("disable", "root", *at)

    assert [one.exit_code for one in results] == [0, 0, 0, 0]
    assert (found["Ann"]["role"], found["Ann"]["disabled"]) == ("moderator", True)
    assert (found["root"]["status"], found["Gus"]["status"]) == ("online", "offline")
    assert refused.stderr == "You cannot disable yourself; another admin can.\n"


def test_a_disabled_user_is_cut_off(address: str) -> None:
    at = ("--url", address, "--admin", "root")
    run("create", "Cut", *at)

    async def cut_off() -> str:
        async with hubbub.connect(address, name="Cut", password=PASSWORD) as ann:
            result = await anyio.to_thread.run_sync(lambda: run("disable", "Cut", *at))
            assert result.exit_code == 0
            try:
                with anyio.fail_after(10):
                    while True:
                        await ann.chat.rooms()
            except hubbub.Closed as closed:
                return closed.message

    assert "signed out" in anyio.run(cut_off)


def test_the_token_of_an_admin_does_as_well(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def token() -> str:
        async with hubbub.connect(address, name="root", password=PASSWORD) as root:
            return str(root.refresh_token)

    monkeypatch.setenv("HUBBUB_TOKEN", anyio.run(token))
    monkeypatch.setenv("HUBBUB_URL", address)

    # A refresh token works once, and the command keeps its successor.
    for _ in range(2):
        assert {one["nickname"] for one in listed()} >= {"root", "Gus"}


def test_others_than_admins_are_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def token() -> str:
        async with hubbub.connect(address, nickname="Eve") as eve:
            return str(eve.refresh_token)

    nobody = run("list", "--url", address)
    monkeypatch.setenv("HUBBUB_TOKEN", anyio.run(token))
    eve = run("list", "--url", address)

    assert (nobody.exit_code, eve.exit_code) == (1, 1)
    assert nobody.stderr.startswith("Sign in with --admin NAME")
    assert eve.stderr == "Only an admin can do this.\n"


# The table


def test_a_nickname_is_shown_as_it_is_and_cannot_move_the_cursor() -> None:
    record = hubbub.UserRecord(
        "1", "[bold]\x1b[2J", "user", None, True, False, "online", NOON, NOON
    )
    out = StringIO()
    Console(file=out, width=200, highlight=False).print(users_table([record]))

    assert "[bold]" in out.getvalue()
    assert "\x1b" not in out.getvalue()
    assert "(guest)" in out.getvalue()
    assert "2026-01-01 12:00" in out.getvalue()
