"""
Python programs that begin at once.

An interpreter that imports Hubbub, its server and pytest begins in a second or two, and there
are hundreds of examples and commands. So one process imports them, and each program is a fork of
it: it has a module ``__main__``, a folder, an environment and streams of its own, and nothing of
another program.
"""

from __future__ import annotations

import gc
import os
import runpy
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import NamedTuple

__all__ = ["Done", "Fork", "PipedFork", "Started", "run", "started", "stream_of"]

SECONDS_MAX = 30.0
IMPORTED = [
    *("hubbub", "hubbub.cli.app", "hubbub.cli.chat", "hubbub.cli.play", "hubbub.cli.serve"),
    *("hubbub.cli.shop", "hubbub.cli.watch", "hubbub.client.connect", "hubbub.client.remote"),
    *("hubbub.client.transport", "hubbub.server.run"),
    *("hubbub.server.logs", "hubbub.server.tcp_server"),
    *("hubbub.testing", "anyio._backends._asyncio", "anyio._backends._trio", "argon2"),
    *("confusable_homoglyphs", "httpcore2._async", "httpcore2._backends.anyio", "httpx2._client"),
    *("hypothesis", "iso4217", "pydantic", "pydantic.fields", "pydantic.type_adapter", "pytest"),
    *("pytest_asyncio", "starlette.applications", "typer._adapters"),
    *("uvloop", "wsproto.connection"),
]

_forks = get_context("forkserver")
_forks.set_forkserver_preload(IMPORTED)


class Done(NamedTuple):
    """How a program has ended."""

    code: int
    out: str
    err: str


class Started:
    """
    A program that runs.

    Args:
        folder: its working directory.
        args: what would stand behind ``python -W error``: a file, or ``-m`` and a module.
        env: the environment, besides what is there.
    """

    def __init__(self, folder: Path, *args: object, env: dict[str, str] | None = None) -> None:
        self._outputs = Path(mkdtemp(prefix="warm-"))
        os.mkfifo(self._outputs / "out")
        arguments = (str(folder), str(self._outputs), [str(arg) for arg in args], env or {})
        self.process: ForkServerProcess = _forks.Process(target=_become, args=arguments)
        self.process.start()
        self._out = (self._outputs / "out").open()

    def line_with(self, text: str) -> str:
        """Wait for a line that has a text in it."""
        for line in self._out:
            if text in line:
                return line
        raise AssertionError(f"{text!r} did not come: {self.end().err}")

    def end(self, *, kill: bool = False) -> Done:
        """Read what is printed until it ends."""
        if kill:
            self.process.kill()
        with self._out:
            out = self._out.read()
        self.process.join(SECONDS_MAX)
        done = Done(self.process.exitcode or 0, out, (self._outputs / "err").read_text())
        rmtree(self._outputs)
        return done


class Fork:
    """
    A program that has begun, to be used as a ``subprocess.Popen`` is.

    Args:
        folder: its working directory.
        args: what would stand behind ``python -W error``: a file, or ``-m`` and a module.
        env: its environment.
        streams: its input, its output and its errors; they are closed here.
    """

    def __init__(
        self,
        folder: Path,
        args: list[str],
        env: Mapping[str, str],
        streams: tuple[Connection, Connection, Connection],
    ) -> None:
        self._process = _forks.Process(
            target=_become_with, args=(str(folder), args, dict(env), streams), daemon=True
        )
        self._process.start()
        for theirs in set(streams):
            theirs.close()

    @property
    def pid(self) -> int:
        """The number of the process."""
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        """Return the exit code, if it has ended."""
        return self._process.exitcode

    def send_signal(self, signal: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, signal)

    def kill(self) -> None:
        """Kill it, unless it has ended."""
        self._process.kill()

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; return the exit code."""
        self._process.join(timeout)
        if (code := self.poll()) is None:
            raise subprocess.TimeoutExpired(str(self._process), timeout or 0.0)
        return code


class PipedFork(Fork):
    """
    The same with pipes.

    Args:
        folder, args, env: as above.
        own_errors: whether its errors have a pipe of their own, or that of its output.
    """

    def __init__(
        self, folder: Path, args: list[str], env: Mapping[str, str], *, own_errors: bool = False
    ) -> None:
        typed, keyboard = _forks.Pipe(duplex=False)
        shown, output = _forks.Pipe(duplex=False)
        told, errors = _forks.Pipe(duplex=False) if own_errors else (None, output)
        super().__init__(folder, args, env, (typed, output, errors))
        self.stdin = os.fdopen(_taken(keyboard), "w")
        self.stdout = os.fdopen(_taken(shown))
        self.stderr = None if told is None else os.fdopen(_taken(told))

    def communicate(self, typed: str, timeout: float) -> Done:
        """Type everything, and wait for the end; return how it has ended."""
        assert self.stderr is not None
        with self.stdout, self.stderr, ThreadPoolExecutor() as readers:
            out, err = (readers.submit(pipe.read) for pipe in (self.stdout, self.stderr))
            try:
                # It may end before it has read everything.
                with suppress(BrokenPipeError), self.stdin:
                    self.stdin.write(typed)
                code = self.wait(timeout)
            finally:
                self.kill()
        return Done(code, out.result(), err.result())


def stream_of(descriptor: int) -> Connection:
    """Make a program's stream of a copy of a descriptor."""
    return Connection(os.dup(descriptor))


def _taken(connection: Connection) -> int:
    """Return the descriptor of a pipe's end, which is no more the connection's."""
    with connection:
        return os.dup(connection.fileno())


def run(folder: Path, *args: object) -> Done:
    """Run a program to its end."""
    return Started(folder, *args).end()


@contextmanager
def started(folder: Path, *args: object, env: dict[str, str] | None = None) -> Iterator[Started]:
    """Run a program; leaving it kills it."""
    running = Started(folder, *args, env=env)
    try:
        yield running
    finally:
        running.end(kill=True)


def _become(folder: str, outputs: str, args: list[str], env: dict[str, str]) -> None:
    """Be what ``python -W error ARGS`` would be in a folder."""
    os.environ.update(env)
    for name, descriptor in (("out", 1), ("err", 2)):
        os.dup2(os.open(f"{outputs}/{name}", os.O_WRONLY | os.O_CREAT), descriptor)
    _run(folder, args)


def _become_with(
    folder: str, args: list[str], env: dict[str, str], streams: tuple[Connection, ...]
) -> None:
    """Be the same, with an environment and standard streams that are given."""
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    for descriptor, stream in enumerate(streams):
        os.dup2(stream.fileno(), descriptor)
    for stream in streams:
        stream.close()
    # As an interpreter makes them: what is written to a pipe is kept, but for errors.
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace", closefd=False)
    try:
        _run(folder, args)
    finally:
        # A fork ends without it, and what was not closed is told only then.
        gc.collect()


def _run(folder: str, args: list[str]) -> None:
    # What was imported before is not looked through again and again.
    gc.freeze()
    os.chdir(folder)
    if args[:2] != ["-m", "pytest"]:  # it has settings of its own
        warnings.simplefilter("error")
    if args[0] == "-m":
        sys.argv = args[1:]
        sys.path.insert(0, folder)
        runpy.run_module(args[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = args
        sys.path.insert(0, folder)
        runpy.run_path(args[0], run_name="__main__")
