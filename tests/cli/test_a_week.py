"""
A week in the life of a server, as its operator lives it. Each server is a process of its own.

Each day is what the pages for operators describe, and checks that no data went missing.
"""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, chdir, closing, contextmanager
from pathlib import Path

import anyio
import apsw
import httpx2
import msgspec
import pytest
from anyio import to_thread
from typer.testing import CliRunner, Result

import hubbub
from hubbub.cli.app import app
from tests.cli.program import Program, program
from tests.journal.golden.make import GOLDEN, PASSWORD

SECONDS_MAX = 120
NEW_PASSWORD = "a week is long"
MESSAGES = 20


class Operator:
    """
    Runs commands in a folder, where the database is ``hubbub.db``.

    Args:
        home: the folder.
        backend: the event loop of the server.
    """

    def __init__(self, home: Path, backend: str) -> None:
        self.home = home
        self.backend = backend
        self.port = 0

    def runs(self, *args: object, code: int = 0) -> Result:
        """Run a command in the folder; it is a success unless another code is expected."""
        with chdir(self.home):
            result = CliRunner().invoke(app, [str(one) for one in args])
        assert result.exit_code == code, result.output
        return result

    def users(self, *args: object) -> dict[str, dict[str, object]]:
        """List users, by nickname."""
        lines = self.runs("users", "list", "--json", *args).stdout.splitlines()
        return {one["nickname"]: one for one in map(msgspec.json.decode, lines)}

    @contextmanager
    def serving(self) -> Iterator[Program]:
        """Serve the database, each time at the same port."""
        arguments = ("serve", "--port", self.port, "--backend", self.backend)
        settings = ("--set", "message_limit=1000", "--set", "guests_per_address=1000")
        with program(self.home, *arguments, *settings) as server:
            line = server.line_with("Hubbub serves")
            found = re.search(r":(\d+)$", line)
            assert found is not None, line
            self.port = int(found[1])
            yield server

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


async def chat(url: str, day: str, name: str = "Ann", password: str = PASSWORD) -> list[str]:
    """Sign in and say something in the Lobby; return all that was ever acknowledged there."""
    async with hubbub.connect(url, name=name, password=password) as user:
        [room] = await user.chat.rooms()
        await user.chat.join(room.id)
        for number in range(MESSAGES):
            await user.chat.send(room.id, f"{day} {number}", key=f"{day} {number}")
        return [one.text for one in await user.chat.history(room.id, limit=500)]


def said_on(day: str) -> list[str]:
    return [f"{day} {number}" for number in range(MESSAGES)]


def upgrade(operator: Operator) -> None:
    """Monday: the database of 0.1 becomes one of this release."""
    shutil.copy(GOLDEN / "0.1.0.db", operator.home / "hubbub.db")
    operator.runs("backup", "hubbub.db", "sunday.db")
    planned = operator.runs("migrate", "hubbub.db", "--dry-run").stdout
    refused = operator.runs("users", "list", code=1).stderr
    migrated = operator.runs("migrate", "hubbub.db").stdout

    assert "version 3; this Hubbub needs version 5" in planned
    assert "run `hubbub migrate hubbub.db` first" in refused
    assert "hubbub.db.v3: a backup" in migrated
    for name in ("hubbub.db", "hubbub.db.v3", "sunday.db"):
        assert "no fault" in operator.runs("verify", name).stdout


def first_traffic(operator: Operator) -> None:
    """Tuesday: accounts of before sign in; a backup is made while they chat."""
    with operator.serving() as server:
        texts = anyio.run(chat, operator.url, "tuesday")
        operator.runs("backup", "hubbub.db", "tuesday.db")
        later = anyio.run(chat, operator.url, "later on tuesday")
        stopped = server.stop(signal.SIGTERM)

    assert {"message 255", "a banana a day"} <= set(texts)
    assert texts[-MESSAGES:] == said_on("tuesday")
    assert later[-MESSAGES:] == said_on("later on tuesday")
    assert stopped == 0
    assert "no fault" in operator.runs("verify", "tuesday.db").stdout


def crash(operator: Operator) -> None:
    """Wednesday: the process is killed; what was acknowledged is there."""
    with operator.serving() as server:
        anyio.run(chat, operator.url, "wednesday")
        server.stop(signal.SIGKILL)
    assert "no fault" in operator.runs("verify", "hubbub.db").stdout
    with operator.serving():
        texts = anyio.run(chat, operator.url, "after the crash")
        assert httpx2.get(f"{operator.url}/health").status_code == 200

    assert texts[-2 * MESSAGES :] == said_on("wednesday") + said_on("after the crash")


def disable_a_user(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thursday: a user misbehaves, and another has forgotten the password."""
    monkeypatch.setenv("HUBBUB_ADMIN_PASSWORD", PASSWORD)
    monkeypatch.setenv("HUBBUB_PASSWORD", NEW_PASSWORD)
    with operator.serving():
        at = ("--url", operator.url, "--admin", "root")
        refused = operator.runs("users", "list", code=1).stderr
        operator.runs("users", "create", "Eve", *at)
        anyio.run(chat, operator.url, "eve", "Eve", NEW_PASSWORD)
        operator.runs("users", "disable", "Eve", *at)
        operator.runs("users", "set-password", "Ann", *at)
        listed = operator.users(*at)
        with pytest.raises(hubbub.NotAllowed, match="disabled"):
            anyio.run(chat, operator.url, "eve again", "Eve", NEW_PASSWORD)
        with pytest.raises(hubbub.NotAllowed):
            anyio.run(chat, operator.url, "the old password")
        texts = anyio.run(chat, operator.url, "thursday", "Ann", NEW_PASSWORD)

    assert "A server has hubbub.db open" in refused
    assert listed.keys() == {"Ann", "Bob", "Root", "Eve"}
    assert (listed["Eve"]["disabled"], listed["Ann"]["disabled"]) == (True, False)
    assert listed["Root"]["status"] == "online"
    assert texts[-2 * MESSAGES :] == said_on("eve") + said_on("thursday")


def let_a_day_pass(db: Path) -> int:
    """Make all keys a day older: those of the present second would not have expired."""
    with closing(apsw.Connection(str(db))) as database:
        database.execute("UPDATE used SET at = at - 86400")
        return int(database.changes())


def tidy_up(operator: Operator) -> None:
    """Friday: the file is compacted, and a user wants their data."""
    keys = let_a_day_pass(operator.home / "hubbub.db")
    files = [path for path in operator.home.glob("hubbub.db*") if path.suffix != ".v3"]
    before = sum(path.stat().st_size for path in files)
    planned = operator.runs("compact", "hubbub.db", "--dry-run", "--key-days", 0).stdout
    operator.runs("compact", "hubbub.db", "--key-days", 0)
    operator.runs("export", "Ann", "hubbub.db", "--out", "ann.jsonl")
    exported = (operator.home / "ann.jsonl").read_text()

    assert f"  expired keys: {keys}\n" in planned
    assert (operator.home / "hubbub.db").stat().st_size < before
    assert "no fault" in operator.runs("verify", "hubbub.db").stdout
    assert all(text in exported for text in (*said_on("thursday"), "only for Bob", "keyboard"))
    assert "only for Ann" not in exported
    assert "eve 1" not in exported


@asynccontextmanager
async def served(operator: Operator) -> AsyncIterator[Program]:
    """Serve the database beside the client of this event loop."""
    serving = operator.serving()
    server = await to_thread.run_sync(serving.__enter__)
    try:
        yield server
    finally:
        await to_thread.run_sync(serving.__exit__, None, None, None)


async def move(old: Operator, new: Operator) -> str:
    """Saturday: the database moves to another machine, under a client that is connected."""
    async with (
        served(old) as server,
        hubbub.connect(old.url, name="Ann", password=NEW_PASSWORD) as ann,
    ):
        [room] = await ann.chat.rooms()
        before = ann.journal_id
        async with ann.follow(room.stream) as events:
            await to_thread.run_sync(server.stop, signal.SIGTERM)
            await to_thread.run_sync(old.runs, "backup", "hubbub.db", "moving.db")
            shutil.move(old.home / "moving.db", new.home / "copy.db")
            await to_thread.run_sync(new.runs, "restore", "copy.db", "hubbub.db")
            new.port = old.port
            async with served(new):
                with pytest.raises(hubbub.Conflict) as reset:
                    await anext(events)
                # The client is signed in still, and the journal is another one.
                texts = [one.text for one in await ann.chat.history(room.id, limit=500)]

                assert texts[-MESSAGES:] == said_on("thursday")
                assert ann.journal_id != before
    return reset.value.message


def go_back(operator: Operator) -> None:
    """Sunday: the operator goes back to the backup of Tuesday."""
    operator.runs("restore", "tuesday.db", "hubbub.db", code=1)
    operator.runs("restore", "--force", "tuesday.db", "hubbub.db")
    assert "no fault" in operator.runs("verify", "hubbub.db").stdout
    listed = operator.users()
    with operator.serving():
        # The password of Tuesday, and nothing that was said since.
        texts = anyio.run(chat, operator.url, "sunday")

    assert listed.keys() == {"Ann", "Bob", "Root"}
    assert texts[-2 * MESSAGES :] == said_on("tuesday") + said_on("sunday")


@pytest.mark.timeout(SECONDS_MAX)
def test_a_week_passes_and_no_data_goes_missing(
    tmp_path: Path, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HUBBUB_DB", "HUBBUB_URL", "HUBBUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    operator, there = (Operator(tmp_path / name, backend) for name in ("old", "new"))

    upgrade(operator)
    first_traffic(operator)
    crash(operator)
    disable_a_user(operator, monkeypatch)
    tidy_up(operator)
    reset = anyio.run(move, operator, there)
    shutil.copy(operator.home / "tuesday.db", there.home)
    go_back(there)

    assert "history was reset" in reset
