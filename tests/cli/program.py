"""
The program ``hubbub`` in a process of its own, and what it says.

Most begin as forks of an interpreter that has imported it. A cold one begins as a user's does:
with its own interpreter, and under its own name among the processes.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO

from tests.blackbox.warm_python import Done, PipedFork

__all__ = ["ColdProgram", "Done", "Program", "cold_program", "env_in", "program", "run_program"]

SECONDS_MAX = 30.0


def env_in(home: Path) -> dict[str, str]:
    """Make an environment whose home directory, and its settings, are in a directory."""
    return os.environ | {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "PYTHONPATH": os.pathsep.join(sys.path),
        "COLUMNS": "200",
        "TZ": "UTC",
    }


def arguments(args: tuple[object, ...]) -> list[str]:
    """Return what stands behind the name of the interpreter and its options."""
    return ["-m", "hubbub.cli", *map(str, args)]


def run_program(home: Path, *args: object, typed: str = "", **variables: str) -> Done:
    """
    Run ``hubbub`` to its end.

    Args:
        home: its home and its working directory.
        args: its arguments.
        typed: the lines of its standard input.
        variables: of its environment, besides those of this process.
    """
    fork = PipedFork(home, arguments(args), env_in(home) | variables, own_errors=True)
    return fork.communicate(typed, SECONDS_MAX)


class Program:
    """
    A running ``hubbub``.

    Args:
        home: its home and its working directory.
        args: its arguments.
        variables: of its environment, besides those of this process.
    """

    def __init__(self, home: Path, *args: object, **variables: str) -> None:
        self.lines: list[str] = []
        self.process = self._begin(home, arguments(args), env_in(home) | variables)
        self._wake_up: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, args=[self.process.stdout], daemon=True).start()

    def line_with(self, text: str) -> str:
        """Wait for a line that has a text in it; one that was returned is not looked at again."""
        while True:
            try:
                line = self._wake_up.get(timeout=SECONDS_MAX)
            except queue.Empty:
                line = None
            assert line is not None, f"{text!r} did not come: {self.lines}"
            if text in line:
                return line

    def type(self, line: str) -> None:
        """Type a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def end(self) -> int:
        """Type no more, and wait for the end; return the exit code."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(SECONDS_MAX)

    def stop(self, signal: int) -> int:
        """Send a signal, and wait for the end; return the exit code."""
        self.process.send_signal(signal)
        return self.process.wait(SECONDS_MAX)

    def _begin(
        self, home: Path, args: list[str], env: dict[str, str]
    ) -> PipedFork | subprocess.Popen[str]:
        return PipedFork(home, args, env)

    def _read(self, out: IO[str]) -> None:
        for line in out:
            self.lines.append(line.rstrip("\n"))
            self._wake_up.put(self.lines[-1])
        self._wake_up.put(None)


class ColdProgram(Program):
    """The same with an interpreter of its own."""

    def _begin(self, home: Path, args: list[str], env: dict[str, str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-W", "error", *args],
            cwd=home,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def program(home: Path, *args: object, **variables: str) -> AbstractContextManager[Program]:
    """Run ``hubbub``; leaving it kills what still runs."""
    return ended(Program(home, *args, **variables))


def cold_program(home: Path, *args: object, **variables: str) -> AbstractContextManager[Program]:
    """Run ``hubbub`` with an interpreter of its own; leaving it kills what still runs."""
    return ended(ColdProgram(home, *args, **variables))


@contextmanager
def ended(running: Program) -> Iterator[Program]:
    """Kill what still runs of a program at the end."""
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait()
        for pipe in (running.process.stdin, running.process.stdout):
            assert pipe is not None
            pipe.close()
