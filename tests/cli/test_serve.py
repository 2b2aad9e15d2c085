"""``hubbub serve``: what it says, and how it ends."""

from __future__ import annotations

import signal
import socket
import sqlite3
from pathlib import Path

import httpx2
import pytest

from tests.cli.program import program, run_program


def test_it_says_where_it_serves_and_answers_there(tmp_path: Path, backend: str) -> None:
    with program(tmp_path, "serve", "--port", 0, "--backend", backend) as server:
        line = server.line_with("Hubbub serves")
        address = line.split()[2]
        health = httpx2.get(f"{address}/health")

    assert line == f"Hubbub serves {address} ({backend}, hubbub.db); stop it with Ctrl-C."
    assert health.status_code == 200
    assert (tmp_path / "hubbub.db").exists()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_it_is_told_to(tmp_path: Path, backend: str, how: signal.Signals) -> None:
    options = ["--port", 0, "--backend", backend, "--db", "memory://"]
    with program(tmp_path, "serve", *options) as server:
        address = server.line_with("Hubbub serves").split()[2]
        httpx2.get(f"{address}/health")

        assert server.stop(how) == 0
        assert len(server.lines) == 1


def test_a_database_that_is_served_already_is_refused(tmp_path: Path, backend: str) -> None:
    with program(tmp_path, "serve", "--port", 0, "--backend", backend) as first:
        first.line_with("Hubbub serves")
        second = run_program(tmp_path, "serve", "--port", 0, "--backend", backend)

    assert second.code == 1
    assert second.out == ""
    assert second.err == (
        "The database hubbub.db is open elsewhere; stop that, or use another file.\n"
    )


def test_a_foreign_database_is_refused(tmp_path: Path, backend: str) -> None:
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE something (x)")
    other.close()
    done = run_program(tmp_path, "serve", "--db", "other.db", "--port", 0, "--backend", backend)

    assert done.code == 1
    assert done.err == "other.db is not a hubbub database; use another file.\n"


def test_a_busy_port_is_refused(tmp_path: Path, backend: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        done = run_program(tmp_path, "serve", "--port", port, "--backend", backend)

    assert done.code == 1
    assert done.err == f"Cannot serve at 127.0.0.1, port {port}: Address already in use.\n"
    assert not (tmp_path / "hubbub.db").exists()


def test_settings_are_set(tmp_path: Path, backend: str) -> None:
    options = ["--port", 0, "--backend", backend, "--set", "text_chars_max=5"]
    with program(tmp_path, "serve", *options) as server:
        address = server.line_with("Hubbub serves").split()[2]
        done = run_program(tmp_path, "chat", address, "Lobby", typed="too long\n")

    assert done.code == 1
    assert done.err == "The text has 8 characters; shorten it to 5 or fewer.\n"


def test_the_demo_has_a_lobby_with_a_bot_that_answers(tmp_path: Path, backend: str) -> None:
    options = ["--port", 0, "--backend", backend, "--demo"]
    with program(tmp_path, "serve", *options) as server:
        address = server.line_with("Hubbub serves").split()[2]
        with program(tmp_path, "chat", address, "lobby", "--nickname", "Ann") as chat:
            welcome = chat.line_with("I am Robin, a bot")
            hello = chat.line_with("Hello, Ann!")

    assert "Robin (bot)" in welcome
    assert "Robin (bot)" in hello


def test_a_file_without_keys_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text("{}")
    done = run_program(tmp_path, "serve", "--jwks", "keys.json", "--port", 0)

    assert done.code == 1
    assert done.err == (
        "keys.json cannot be used. It is no JSON Web Key Set: an object with a list called `keys`."
        "\n"
    )
