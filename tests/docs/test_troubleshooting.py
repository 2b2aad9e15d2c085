"""The page about troubleshooting: each message that it quotes is one that users see."""

from __future__ import annotations

import re
import socket
import sqlite3
from pathlib import Path

import anyio
import pytest
from anyio import to_thread

import hubbub
from hubbub.cli.commands import carry_out
from hubbub.cli.conversation import Conversation
from tests.cli.program import program, run_program
from tests.docs.examples import ROOT

PAGE = (ROOT / "docs" / "how-to" / "troubleshooting.md").read_text()
TITLES = re.findall(r"^### (.*)$", PAGE, re.MULTILINE)


def is_quoted(message: str) -> bool:
    """Tell whether a title of the page quotes a message; … stands for what differs."""
    quoted = [title.strip("`") for title in TITLES if title.startswith("`")]
    patterns = [".*".join(map(re.escape, title.split("…"))) for title in quoted]
    return any(re.search(pattern, message) for pattern in patterns)


def test_only_messages_that_are_on_the_page_are_quoted() -> None:
    assert is_quoted("hubbub.db is not a hubbub database; use another file.")
    assert not is_quoted("The database hubbub.db is open somewhere.")


async def test_a_database_that_is_open_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with hubbub.open("hubbub.db"):
        with pytest.raises(hubbub.Conflict) as caught:
            async with hubbub.open("hubbub.db"):
                pass

    assert is_quoted(caught.value.message)


async def test_a_database_of_another_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with hubbub.open("hubbub.db"):
        pass
    database = sqlite3.connect("hubbub.db")
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(hubbub.StorageError) as caught:
        async with hubbub.open("hubbub.db"):
            pass

    assert is_quoted(caught.value.message)


async def test_a_file_of_another_program(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "other.db")
    database.execute("CREATE TABLE something (x)")
    database.close()
    with pytest.raises(hubbub.StorageError) as caught:
        async with hubbub.open(str(tmp_path / "other.db")):
            pass

    assert is_quoted(caught.value.message)


async def test_another_event_loop() -> None:
    async with hubbub.open("memory://") as hub, hub.session("ann") as ann:

        def elsewhere() -> None:
            anyio.run(ann.users.online)

        with pytest.raises(hubbub.Conflict) as caught:
            await to_thread.run_sync(elsewhere)

    assert is_quoted(caught.value.message)


async def test_too_many_messages() -> None:
    settings = hubbub.Settings(message_limit=1, message_period=6.2)
    async with hubbub.open("memory://", settings=settings) as hub, hub.session("ann") as ann:
        room = await ann.chat.create_room("Lobby")
        await ann.chat.send(room.id, "one")
        with pytest.raises(hubbub.RateLimited) as caught:
            await ann.chat.send(room.id, "two")

    assert re.sub(r"[\d.]+ s", "6.2 s", caught.value.message) in PAGE


async def test_a_history_that_was_reset() -> None:
    async with hubbub.open("memory://") as hub, hub.session("ann") as ann:
        room = await ann.chat.create_room("Lobby")
        with pytest.raises(hubbub.Conflict) as caught:
            async with ann.follow(room.stream, after=999) as events:
                await anext(events)

    assert "history was reset" in caught.value.message
    assert "`The history was reset`" in TITLES


async def test_two_slashes_send_one() -> None:
    async with (
        hubbub.open("memory://") as hub,
        hub.session("ann") as ann,
        anyio.create_task_group() as tasks,
    ):
        conversation = Conversation(ann, lambda line: None, tasks)
        await conversation.enter("Lobby")
        await carry_out(conversation, "//dice")
        (message,) = await ann.chat.history(conversation.in_front.id)
        tasks.cancel_scope.cancel()

    assert message.text == "/dice"


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        done = run_program(tmp_path, "serve", "--port", port)

    assert is_quoted(done.err.replace(str(port), "8000"))


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    done = run_program(tmp_path, "chat", "http://127.0.0.1:1", "lobby")

    assert is_quoted(done.err)


def test_a_path_that_is_not_the_servers(tmp_path: Path) -> None:
    with program(tmp_path, "serve", "--port", 0, "--db", "memory://") as server:
        address = server.line_with("Hubbub serves").split()[2]
        done = run_program(tmp_path, "chat", f"{address}/elsewhere", "lobby")

    assert done.code == 1
    assert "cannot be reached" in done.err or "path" in done.err


def test_the_environment_sets_what_no_option_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUBBUB_TEXT_CHARS_MAX", "5")
    with program(tmp_path, "serve", "--port", 0, "--db", "memory://") as server:
        address = server.line_with("Hubbub serves").split()[2]
        long = run_program(tmp_path, "chat", address, "lobby", typed="too long\n")
    options = ["--set", "text_chars_max=8", "--port", 0, "--db", "memory://"]
    with program(tmp_path, "serve", *options) as server:
        address = server.line_with("Hubbub serves").split()[2]
        short = run_program(tmp_path, "chat", address, "lobby", typed="too long\n")

    assert (long.code, short.code) == (1, 0)
