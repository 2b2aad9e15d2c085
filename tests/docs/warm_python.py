"""
Python programs that begin at once.

An interpreter that imports Hubbub, its server and pytest begins in a second or two, and there
are some hundred examples. So one process imports them, and each program is a fork of it: it has
a module ``__main__``, a folder and an output of its own, and nothing of another program.
"""

from __future__ import annotations

import os
import runpy
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import NamedTuple

__all__ = ["Done", "Started", "run", "started"]

SECONDS_MAX = 30.0
IMPORTED = [
    *("hubbub", "hubbub.cli.app", "hubbub.client.connect", "hubbub.server.run"),
    *("hubbub.server.logs", "hubbub.server.trio_server", "hubbub.server.uvicorn_protocol"),
    *("hubbub.testing", "anyio._backends._asyncio", "anyio._backends._trio", "argon2"),
    *("confusable_homoglyphs", "hypothesis", "iso4217", "pydantic", "pydantic.type_adapter"),
    *("pytest", "pytest_asyncio", "starlette.applications", "uvicorn.lifespan.off", "uvloop"),
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
    os.chdir(folder)
    os.environ.update(env)
    for name, descriptor in (("out", 1), ("err", 2)):
        os.dup2(os.open(f"{outputs}/{name}", os.O_WRONLY | os.O_CREAT), descriptor)
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
