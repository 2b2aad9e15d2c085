"""The real ``hubbub serve`` in a process of its own, with its log and its resources."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from tests.blackbox.warm_python import Fork, stream_of

__all__ = ["Backend", "Served", "served"]

Backend = Literal["asyncio", "trio"]

START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 30.0
MEBIBYTE = 1024 * 1024
RAISED = re.compile(
    r"^[\s│+|]*((?:\w+\.)*\w*(?:Error|Exception|Group|Interrupt)\b.*)$", re.MULTILINE
)


class Served:
    """
    A server that runs.

    Args:
        process: the server's.
        backend: the event loop that it runs on.
        home: where its log and its database are.
    """

    def __init__(
        self, process: subprocess.Popen[bytes] | Fork, backend: Backend, home: Path
    ) -> None:
        self.process = process
        self.backend = backend
        self.home = home
        self.port = self._port()

    @property
    def alive(self) -> bool:
        """True while the process runs."""
        return self.process.poll() is None

    def accepts(self) -> bool:
        """Tell whether a connection is accepted: a process that dies does not, for a while."""
        try:
            socket.create_connection(("127.0.0.1", self.port), 5.0).close()
        except OSError:
            return False
        return self.alive

    @property
    def log(self) -> str:
        """Everything that the server has written."""
        return (self.home / "log").read_text(errors="replace")

    @property
    def tracebacks(self) -> list[str]:
        """The errors in the log that have a traceback; rich draws boxes around them."""
        log = self.log
        if "Traceback (" not in log:
            return []
        return RAISED.findall(log) or [log[-500:]]

    @property
    def memory(self) -> float:
        """How much memory is resident, in MiB."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / MEBIBYTE

    @property
    def descriptors(self) -> int:
        """How many files and sockets are open."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    @property
    def processor_seconds(self) -> float:
        """How long it has run on a processor."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def wait_for_descriptors(self, count: int, seconds_max: float) -> int:
        """Wait until no more than some are open; return how many are."""
        ends = time.perf_counter() + seconds_max
        while (now := self.descriptors) > count and time.perf_counter() < ends:
            time.sleep(0.05)
        return now

    def stop(self) -> int:
        """Ask it to stop, and wait for it; return the exit code."""
        if self.alive:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS_MAX)

    def _port(self) -> int:
        ends = time.perf_counter() + START_SECONDS_MAX
        while " serves http://" not in (log := self.log):
            assert self.alive, f"the server did not start: {log}"
            assert time.perf_counter() < ends, f"the server does not start: {log}"
            time.sleep(0.02)
        return int(log.partition(" serves http://")[2].split()[0].rpartition(":")[2])


@contextmanager
def served(
    backend: Backend,
    home: Path,
    *args: str,
    environment: dict[str, str] | None = None,
    warm: bool = False,
) -> Iterator[Served]:
    """
    Run a server; leaving it kills what still runs.

    Args:
        backend: the event loop; asyncio is uvloop where there is one.
        home: a directory for its log and its database.
        args: more arguments of ``hubbub serve``.
        environment: more variables.
        warm: whether its interpreter has imported it before.
    """
    command = ["-m", "hubbub.cli", "serve", "--port", "0", "--backend", backend]
    command += ["--db", str(home / "hubbub.db"), *args]
    # The log is looked into for what it must not say; a warning of Python's would be seen there.
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | (environment or {})
    with (home / "log").open("wb") as log:
        process = (warm_process if warm else cold_process)(home, command, env, log.fileno())
    try:
        yield Served(process, backend, home)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def cold_process(
    home: Path, command: list[str], env: dict[str, str], log: int
) -> subprocess.Popen[bytes]:
    """Begin with an interpreter of its own."""
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=home,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
    )


def warm_process(home: Path, command: list[str], env: dict[str, str], log: int) -> Fork:
    """Begin at once."""
    with open(os.devnull, "rb") as nothing:
        streams = stream_of(nothing.fileno()), stream_of(log), stream_of(log)
        return Fork(home, command, env, streams)
