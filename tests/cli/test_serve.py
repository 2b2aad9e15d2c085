"""``hubbub serve``: what it says, and how it ends."""

from __future__ import annotations

import re
import signal
import socket
import sqlite3
import subprocess
from pathlib import Path

import httpx2
import msgspec
import pytest

from tests.cli.program import cold_program, program, run_program


def test_it_says_where_it_serves_and_answers_there(tmp_path: Path, backend: str) -> None:
    options = ["--port", 0, "--backend", backend]
    with cold_program(tmp_path, "serve", *options) as server:
        address = server.line_with("Hubbub serves").split()[2]
        server.line_with("Ctrl+C")
        health = httpx2.get(f"{address}/health")

    assert server.lines == [
        f"Hubbub serves {address}",
        f"  Database: {tmp_path}/hubbub.db (new)",
        f"  Backend:  {backend}",
        "  Press Ctrl+C to stop.",
    ]
    assert health.status_code == 200
    assert (tmp_path / "hubbub.db").exists()


def test_it_says_how_large_an_existing_database_is(tmp_path: Path) -> None:
    for expected in ("(new)", "kB)"):
        with program(tmp_path, "serve", "--port", 0) as server:
            line = server.line_with("Database")
            server.line_with("Ctrl+C")
            server.stop(signal.SIGTERM)

        assert line.endswith(expected)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_it_is_told_to(tmp_path: Path, backend: str, how: signal.Signals) -> None:
    options = ["--port", 0, "--backend", backend, "--db", "memory://"]
    with cold_program(tmp_path, "serve", *options) as server:
        address = server.line_with("Hubbub serves").split()[2]
        httpx2.get(f"{address}/health")

        assert server.stop(how) == 0
        assert server.lines[-1] == "  Press Ctrl+C to stop."


def test_a_database_that_is_served_already_is_refused(tmp_path: Path) -> None:
    with program(tmp_path, "serve", "--port", 0) as first:
        first.line_with("Hubbub serves")
        second = run_program(tmp_path, "serve", "--port", 0)

    assert second.code == 1
    assert second.out == ""
    assert second.err == (
        "The database hubbub.db is already open; close it there, or use another file.\n"
    )


def test_a_foreign_database_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE something (x)")
    other.close()
    done = run_program(tmp_path, "serve", "--db", "other.db", "--port", 0)

    assert done.code == 1
    assert done.err == "other.db is not a hubbub database; use another file.\n"


def test_a_busy_port_is_refused(tmp_path: Path, backend: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        done = run_program(tmp_path, "serve", "--port", port, "--backend", backend)

    assert done.code == 1
    assert done.err == (
        f"Port {port} of 127.0.0.1 is in use, perhaps by another hubbub serve. Stop that program, "
        f"or choose another port: --port {port + 1}.\n"
    )
    assert not (tmp_path / "hubbub.db").exists()


def test_settings_are_set(tmp_path: Path) -> None:
    options = ["--port", 0, "--set", "text_chars_max=5"]
    with program(tmp_path, "serve", *options) as server:
        address = server.line_with("Hubbub serves").split()[2]
        done = run_program(tmp_path, "chat", address, "Lobby", typed="too long\n")

    assert done.code == 1
    assert done.err == "The text has 8 characters; shorten it to 5 or fewer.\n"


def test_a_missing_directory_is_an_error_and_is_not_created(tmp_path: Path) -> None:
    done = run_program(tmp_path, "serve", "--db", "no/hubbub.db", "--port", 0)

    assert (done.code, done.out) == (1, "")
    assert done.err == (
        f"The database no/hubbub.db cannot be opened: there is no directory {tmp_path}/no. "
        "Create it, or use another path.\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_options_and_settings_come_from_a_file_and_the_environment(tmp_path: Path) -> None:
    (tmp_path / "hubbub.toml").write_text(
        'port = 0\nbackend = "trio"\ndb = "file.db"\n[settings]\ntext_chars_max = 5\n'
    )
    variables = {"HUBBUB_CONFIG": "hubbub.toml", "HUBBUB_DB": "memory://"}
    with program(tmp_path, "serve", **variables) as server:
        address = server.line_with("Hubbub serves").split()[2]
        database, backend = server.line_with("Database"), server.line_with("Backend")
        done = run_program(tmp_path, "chat", address, "Lobby", typed="too long\n")

    assert database == "  Database: in memory, lost when the server stops"
    assert backend == "  Backend:  trio"
    assert done.err == "The text has 8 characters; shorten it to 5 or fewer.\n"


def test_a_misspelt_variable_is_one_line_in_the_log(tmp_path: Path) -> None:
    options = ["--port", 0, "--db", "memory://"]
    with program(tmp_path, "serve", *options, HUBBUB_TEXT_CHAR_MAX="5") as server:
        line = server.line_with("HUBBUB_")

    assert line.endswith(
        "WARNING hubbub.cli: HUBBUB_TEXT_CHAR_MAX is not a setting or option, and is ignored. "
        "Did you mean HUBBUB_TEXT_CHARS_MAX?"
    )


def test_ten_messages_in_ten_seconds_are_allowed(tmp_path: Path) -> None:
    options = ["--port", 0, "--db", "memory://"]
    with program(tmp_path, "serve", *options) as server:
        address = server.line_with("Hubbub serves").split()[2]
        with program(tmp_path, "chat", address, "Lobby") as chat:
            chat.line_with("You are in Lobby")
            for number in range(10):
                chat.type(f"message {number}")
                chat.line_with(f"message {number}")
            chat.type("message 10")
            refusal = chat.line_with(" s")

    # It would be sent after that time; what sends it is tested in virtual time.
    assert 0 < float(re.findall(r"[0-9.]+(?= s)", refusal)[-1]) <= 10


def test_a_secret_on_the_command_line_is_refused(tmp_path: Path) -> None:
    done = run_program(tmp_path, "serve", "--set", "secret=swordfish", "--port", 0)

    assert done.code == 2
    assert "HUBBUB_SECRET" in done.err
    assert "swordfish" not in done.err


def test_no_secret_is_in_the_list_of_processes(tmp_path: Path) -> None:
    (tmp_path / "hubbub.toml").write_text('[settings]\nmetrics_token = "swordfish-metrics"\n')
    options = ["--config", "hubbub.toml", "--port", 0, "--db", "memory://"]
    secrets = {"HUBBUB_SECRET": "swordfish" * 8, "HUBBUB_ADMIN_PASSWORD": "swordfish-password"}
    with cold_program(tmp_path, "serve", *options, "--admin", "Max", **secrets) as server:
        address = server.line_with("Hubbub serves").split()[2]
        token = httpx2.post(f"{address}/api/users/sign_in", json={"nickname": "Ann"}).json()[
            "token"
        ]
        variables = {"HUBBUB_TOKEN": token}
        with cold_program(tmp_path, "chat", address, "Lobby", **variables) as chat:
            chat.line_with("You are in Lobby")
            shown = processes()

    assert "hubbub.cli serve" in shown
    assert f"hubbub.cli chat {address} Lobby" in shown
    assert "swordfish" not in shown
    assert token not in shown


def processes() -> str:
    """Return the command lines of all processes, as everybody on this machine sees them."""
    return subprocess.run(
        ["ps", "-eww", "-o", "args"], capture_output=True, text=True, check=True
    ).stdout


def test_in_json_every_line_of_the_log_is_an_object(tmp_path: Path, backend: str) -> None:
    options = ["--log", "json", "--port", 0, "--backend", backend, "--db", "memory://"]
    with program(tmp_path, "serve", *options, "--access-log", HUBBUB_XYZZY="1") as server:
        line = server.line_with("Hubbub serves")
        httpx2.get(f"{msgspec.json.decode(line)['address']}/health?token=swordfish")
        server.line_with("/health")
        server.stop(signal.SIGTERM)
    lines = [msgspec.json.decode(line) for line in server.lines]

    assert [sorted({"time", "level", "logger", "message"} - line.keys()) for line in lines] == [
        [] for _ in lines
    ]
    assert {"hubbub.cli", "hubbub.access"} <= {line["logger"] for line in lines}
    assert not any("swordfish" in line for line in server.lines)


def test_a_websocket_is_in_the_access_log(tmp_path: Path, backend: str) -> None:
    options = ["--port", 0, "--backend", backend, "--db", "memory://", "--access-log"]
    with program(tmp_path, "serve", *options) as server:
        address = server.line_with("Hubbub serves").split()[2]
        run_program(tmp_path, "chat", address, "Lobby", typed="hello\n")
        opened = server.line_with("/ws")
        closed = server.line_with("/ws")
        httpx2.get(f"{address}/api/events?token=swordfish")
        refused = server.line_with("/api/events")

    assert re.search(r'hubbub\.access: 127\.0\.0\.1 "GET /ws HTTP/1\.1" 101 ', opened)
    assert re.search(r'127\.0\.0\.1 "WebSocket /ws" closed after [0-9.]+ s$', closed)
    assert re.search(r'"GET /api/events\?token=… HTTP/1\.1" 4[0-9]{2} [0-9]+ bytes', refused)


def test_in_json_an_error_is_an_object_too(tmp_path: Path) -> None:
    options = ["--log", "json", "--db", "no/hubbub.db", "--port", 0]
    done = run_program(tmp_path, "serve", *options)
    [line] = done.err.splitlines()
    found = msgspec.json.decode(line)

    assert done.code == 1
    assert (found["level"], found["logger"]) == ("error", "hubbub.cli")
    assert "there is no directory" in found["message"]


def test_keys_over_plain_http_are_refused(tmp_path: Path) -> None:
    done = run_program(tmp_path, "serve", "--jwks", "http://issuer.example/keys", "--port", 0)

    assert done.code == 1
    assert "https://" in done.err


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
