"""``hubbub cluster``: real servers, which end with it."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner

from hubbub.cli.app import app
from hubbub.cli.cluster import NODES_MAX
from hubbub.local_servers.server_process import free_port
from tests.cli.program import Program, cold_program, run_program
from tests.local_servers.places import reachable

END_SECONDS_MAX = 20.0


@pytest.fixture
def place() -> Iterator[Path]:
    with reachable() as made:
        yield made


def free_ports() -> int:
    """Return the first of two free ports."""
    while True:
        port = free_port()
        with suppress(OSError):
            socket.create_server(("127.0.0.1", port + 1)).close()
            return port


def started(cluster: Program) -> None:
    cluster.line_with("All nodes serve.")


def is_served(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/health").status_code == 200
    except httpx2.TransportError:
        return False


def servers_in(place: Path) -> list[str]:
    """Return the command lines of the processes that name a directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = process.read_bytes().decode().replace("\0", " ")
        except OSError:
            continue
        if str(place) in command and "hubbub.cli" not in command:
            found.append(command)
    return found


def test_parts_are_killed_and_restarted_and_all_end_in_order(place: Path) -> None:
    port = free_ports()
    options = [2, "--data", place / "kept", "--port", port]
    with cold_program(place, "cluster", *options) as cluster:
        started(cluster)
        assert is_served(port)
        assert is_served(port + 1)

        cluster.type("kill 2")
        cluster.line_with("node 2: kill")
        assert not is_served(port + 1)

        cluster.type("restart 2")
        cluster.line_with("node 2: restart")
        assert is_served(port + 1)

        cluster.type("kill 7")
        cluster.line_with("There is no '7'.")
        assert cluster.stop(signal.SIGINT) == 0
    assert servers_in(place) == []
    assert not is_served(port)


def test_a_command_that_is_killed_leaves_no_process(place: Path) -> None:
    port = free_ports()
    options = [1, "--data", place / "kept", "--port", port, "--bus", "postgres"]
    with cold_program(place, "cluster", *options) as cluster:
        started(cluster)
        assert servers_in(place)
        os.kill(cluster.process.pid, signal.SIGKILL)
        cluster.process.wait()

        # What ends them notices by itself that the command is no more.
        ends = time.perf_counter() + END_SECONDS_MAX
        while servers_in(place) and time.perf_counter() < ends:
            time.sleep(0.05)
    assert servers_in(place) == []


@pytest.mark.parametrize("nodes", [0, NODES_MAX + 1])
def test_each_node_has_a_digit(place: Path, nodes: int) -> None:
    refused = CliRunner().invoke(app, ["cluster", str(nodes), "--data", str(place)])

    assert refused.exit_code == 2
    assert list(place.iterdir()) == []


def test_a_port_in_use_is_one_line(place: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run_program(place, "cluster", 1, "--data", place / "kept", "--port", port)

    assert (done.code, done.err.count("\n")) == (1, 1)
    assert f"Port {port} cannot be used" in done.err
    assert servers_in(place) == []
