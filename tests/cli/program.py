"""The program ``hubbub`` in a process of its own, and what it says."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

__all__ = ["Done", "Program", "env_in", "program", "run_program"]

SECONDS_MAX = 30.0


class Done(NamedTuple):
    """How a program has ended."""

    code: int
    out: str
    err: str


def env_in(home: Path) -> dict[str, str]:
    """Make an environment whose home directory, and its settings, are in a directory."""
    return os.environ | {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "PYTHONPATH": os.pathsep.join(sys.path),
        "COLUMNS": "200",
        "TZ": "UTC",
    }


def command_of(args: tuple[object, ...]) -> list[str]:
    """Return the whole command line, as a list of processes shows it."""
    return [sys.executable, "-W", "error", "-m", "hubbub.cli", *map(str, args)]


def run_program(home: Path, *args: object, typed: str = "", **variables: str) -> Done:
    """
    Run ``hubbub`` to its end.

    Args:
        home: its home and its working directory.
        args: its arguments.
        typed: the lines of its standard input.
        variables: of its environment, besides those of this process.
    """
    done = subprocess.run(
        command_of(args),
        cwd=home,
        env=env_in(home) | variables,
        input=typed,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


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
        self.process = subprocess.Popen(
            command_of(args),
            cwd=home,
            env=env_in(home) | variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
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

    def _read(self, out: IO[str]) -> None:
        for line in out:
            self.lines.append(line.rstrip("\n"))
            self._wake_up.put(self.lines[-1])
        self._wake_up.put(None)


@contextmanager
def program(home: Path, *args: object, **variables: str) -> Iterator[Program]:
    """Run ``hubbub``; leaving it kills what still runs."""
    running = Program(home, *args, **variables)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait()
        for pipe in (running.process.stdin, running.process.stdout):
            assert pipe is not None
            pipe.close()
