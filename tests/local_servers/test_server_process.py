"""A server is stopped, continued, killed and started again, and ends with its starter."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hubbub.local_servers import valkey_server
from hubbub.local_servers.server_process import free_port
from tests.local_servers.places import reachable

STARTER = """
import sys, threading
from pathlib import Path
from hubbub.local_servers import valkey_server

with valkey_server(Path(sys.argv[1])) as server:
    print(server.process.pid, flush=True)
    sys.stdin.read()
"""


def is_reachable(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def answer_of(port: int, seconds: float) -> bytes:
    with socket.create_connection(("127.0.0.1", port), seconds) as connection:
        connection.sendall(b"PING\r\n")
        try:
            return connection.recv(100)
        except TimeoutError:
            return b""


def test_a_server_that_was_killed_starts_again_on_its_port() -> None:
    with reachable() as directory, valkey_server(directory) as server:
        server.kill()
        between = is_reachable(server.port)
        server.restart()

        assert not between
        assert is_reachable(server.port)
    assert not is_reachable(server.port)


def test_a_stopped_server_answers_when_it_goes_on() -> None:
    with reachable() as directory, valkey_server(directory) as server:
        server.stop()
        silent = answer_of(server.port, 0.1)
        server.cont()

        assert silent == b""
        assert answer_of(server.port, 5) != b""


def test_a_server_that_is_stopped_can_be_closed() -> None:
    with reachable() as directory, valkey_server(directory) as server:
        server.stop()

    assert server.process.returncode is not None


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a process is watched by /proc")
def test_a_server_ends_when_its_starter_is_killed() -> None:
    with reachable() as directory:
        starter = subprocess.Popen(
            [sys.executable, "-c", STARTER, str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        with starter:
            assert starter.stdout is not None
            server = Path("/proc") / starter.stdout.readline().decode().strip()
            assert server.exists()
            starter.kill()
        deadline = time.perf_counter() + 10
        while server.exists() and time.perf_counter() < deadline:
            time.sleep(0.01)

        assert not server.exists()


def test_a_free_port_is_free() -> None:
    assert not is_reachable(free_port())


def test_no_connection_begins_at_a_free_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as given:
        assert free_port() < given.getsockname()[1]
