"""The parts of a cluster on this machine: its nodes, PostgreSQL and Valkey."""

from __future__ import annotations

import http.client
import re
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import unquote, urlsplit

from ..errors import Conflict
from ..local_servers import ServerProcess

__all__ = [
    "ClusterPart",
    "NodePart",
    "Part",
    "PostgresPart",
    "Sample",
    "ValkeyPart",
    "check_free",
    "start_node",
]

# How long a part may take to say how it is, in seconds: a part that is stopped says nothing.
ANSWER_SECONDS_MAX = 0.5
HOST = "127.0.0.1"
CONNECTIONS = re.compile(r"^hubbub_connections(?:\{[^}]*\})? ([0-9.e+]+)$", re.MULTILINE)
MESSAGES = re.compile(r'^hubbub_events_total\{type="sent"\} ([0-9.e+]+)$', re.MULTILINE)


class Sample(NamedTuple):
    """
    The figures of a part at one moment.

    Args:
        connections: how many it has.
        total: the messages that it has taken, its transactions, or its commands.
    """

    connections: int
    total: int


class Part(Protocol):
    """A part of the cluster that the view shows and a user can disturb."""

    @property
    def name(self) -> str:
        """The name in the view and in the commands."""

    @property
    def server(self) -> ServerProcess:
        """Its process."""

    @property
    def unit(self) -> str:
        """The things that its total counts."""

    def sample(self) -> Sample:
        """Ask the part for its figures, or raise OSError."""


class ClusterPart:
    """
    The state of a part, and its rate.

    Args:
        part: it.
    """

    def __init__(self, part: Part) -> None:
        self.part = part
        self.connections: int | None = None
        self.rate: float | None = None
        self._last: tuple[float, int] | None = None
        self._stopped = False

    @property
    def state(self) -> str:
        """One word: running, stopped, ended, or silent if it does not answer."""
        if self.part.server.process.poll() is not None:
            return "ended"
        if self._stopped:
            return "stopped"
        return "running" if self.connections is not None else "silent"

    def look(self) -> None:
        """Ask for its figures."""
        try:
            sample = self.part.sample()
        except OSError:
            self.connections = self.rate = self._last = None
            return
        now = time.perf_counter()
        if self._last is not None:
            # After a restart it counts from 0 again.
            self.rate = max(0, sample.total - self._last[1]) / (now - self._last[0])
        self.connections, self._last = sample.connections, (now, sample.total)

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        self.part.server.kill()
        self._stopped = False

    def stop(self) -> None:
        """Let it stand still (SIGSTOP)."""
        self.part.server.stop()
        self._stopped = True

    def cont(self) -> None:
        """Let it continue (SIGCONT)."""
        self.part.server.cont()
        self._stopped = False

    def restart(self) -> None:
        """Start it again; end it first if it runs."""
        self._stopped = False
        self.part.server.restart()


class NodePart(NamedTuple):
    """A node: a process of ``hubbub serve``."""

    name: str
    server: ServerProcess
    unit: str = "messages"

    def sample(self) -> Sample:
        """Read its metrics."""
        text = _get(self.server.port, "/metrics")
        if text is None:
            raise OSError("the node does not answer")
        return Sample(_number(CONNECTIONS, text), _number(MESSAGES, text))


class PostgresPart(NamedTuple):
    """PostgreSQL."""

    name: str
    server: ServerProcess
    unit: str = "commits"

    def sample(self) -> Sample:
        """Read its statistics."""
        import psycopg  # noqa: PLC0415  # only this needs it

        options = f"-c statement_timeout={ANSWER_SECONDS_MAX * 1_000:.0f}"
        try:
            _connect(self.server.port).close()
            with psycopg.connect(self.server.url, connect_timeout=1, options=options) as database:
                found = database.execute(
                    "SELECT sum(numbackends), sum(xact_commit) FROM pg_stat_database"
                ).fetchone()
        except psycopg.Error as error:
            raise OSError(str(error)) from error
        assert found is not None
        # The connection that asks is not the cluster's.
        return Sample(int(found[0]) - 1, int(found[1]))


class ValkeyPart(NamedTuple):
    """Valkey."""

    name: str
    server: ServerProcess
    unit: str = "commands"

    def sample(self) -> Sample:
        """Read its statistics."""
        password = unquote(urlsplit(self.server.url).password or "")
        with _connect(self.server.port) as connection:
            connection.sendall(f"AUTH {password}\r\nINFO\r\nQUIT\r\n".encode())
            text = b"".join(iter(lambda: connection.recv(65_536), b"")).decode(errors="replace")
        return Sample(
            _number(re.compile(r"connected_clients:(\d+)"), text) - 1,
            _number(re.compile(r"total_commands_processed:(\d+)"), text),
        )


def check_free(port: int) -> None:
    """
    Check that nothing else listens on a port, which could be taken for a node.

    Raises:
        Conflict: something does, or the port needs rights.
    """
    try:
        socket.create_server((HOST, port)).close()
    except OSError as error:
        raise Conflict(
            f"Port {port} cannot be used ({error.strerror}); choose others with --port."
        ) from error


def start_node(
    name: str, log: Path, port: int, urls: dict[str, str], options: Sequence[str]
) -> NodePart:
    """
    Start a node.

    Args:
        name: its name in the view.
        log: the file for its log.
        port: what it listens on.
        urls: the variables that name the database and the bus; both have passwords, which the
            list of processes would show.
        options: more of ``hubbub serve``.

    Raises:
        StorageError: it does not start.
    """
    command = [sys.executable, "-m", "hubbub.cli", "serve", "--host", HOST, *options]
    server = ServerProcess(
        lambda port: [*command, "--port", str(port)],
        lambda port: f"http://{HOST}:{port}",
        log,
        lambda pid, port: _get(port, "/health") is not None,
        stop_signal=signal.SIGTERM,
        port=port,
        environment=urls,
        as_own_user=True,
    )
    return NodePart(name, server)


def _connect(port: int) -> socket.socket:
    return socket.create_connection((HOST, port), ANSWER_SECONDS_MAX)


def _get(port: int, path: str) -> str | None:
    connection = http.client.HTTPConnection(HOST, port, timeout=ANSWER_SECONDS_MAX)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.read().decode() if answer.status == http.client.OK else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _number(pattern: re.Pattern[str], text: str) -> int:
    return sum(int(float(found)) for found in pattern.findall(text))
