"""A shell in a pseudo-terminal, and what its screen shows."""

from __future__ import annotations

import os
import pty
import select
import signal
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from fcntl import ioctl
from itertools import groupby
from pathlib import Path
from termios import TIOCSWINSZ
from typing import NamedTuple

import pyte

__all__ = ["Run", "Terminal", "shell"]

READ_BYTES = 65_536
# What is asked for must be on the screen after so many seconds.
SECONDS_MAX = 30.0
# A screen on which nothing has changed for so many seconds is quiet.
QUIET_SECONDS = 0.15


class Run(NamedTuple):
    """Characters of one row that look alike: from a column on, so many cells wide."""

    column: int
    cells: int
    text: str
    colour: str
    bold: bool


class Terminal:
    """
    A terminal with a shell in it.

    Args:
        descriptor: the end of the pseudo-terminal that a person would sit at.
        columns, rows: its size.
    """

    def __init__(self, descriptor: int, columns: int, rows: int) -> None:
        self._descriptor = descriptor
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        ioctl(descriptor, TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._descriptor, text.encode())
        self.settle()

    def settle(self) -> None:
        """Take what the program writes until it is quiet."""
        while select.select([self._descriptor], [], [], QUIET_SECONDS)[0]:
            self._stream.feed(os.read(self._descriptor, READ_BYTES))

    def until(self, text: str) -> None:
        """Wait until a text is on the screen, also across the ends of rows."""
        ends = time.perf_counter() + SECONDS_MAX
        wanted = text.replace(" ", "")
        while wanted not in "".join(self._screen.display).replace(" ", ""):
            if time.perf_counter() > ends:
                raise TimeoutError(f"{text!r} is not there:\n" + "\n".join(self._screen.display))
            self.settle()

    @property
    def cursor(self) -> tuple[int, int]:
        """The column and the row of the cursor."""
        return self._screen.cursor.x, self._screen.cursor.y

    def rows(self) -> Iterator[list[Run]]:
        """Yield what is on each row."""
        for row in range(self._screen.lines):
            yield list(self._runs(row))

    def _runs(self, row: int) -> Iterator[Run]:
        cells = [self._screen.buffer[row][column] for column in range(self._screen.columns)]
        column = 0
        for (colour, bold, wide), group in groupby(_looks(cells), key=lambda look: look[:3]):
            text = "".join(look[3] for look in group)
            width = 2 * len(_graphemes(text)) if wide else len(text)
            shown = text.rstrip()
            if shown:
                yield Run(column, width - (len(text) - len(shown)), shown, colour, bold)
            column += width


def _looks(cells: list[pyte.screens.Char]) -> Iterator[tuple[str, bool, bool, str]]:
    for cell, following in zip(cells, [*cells[1:], None], strict=True):
        # The second cell of a wide character holds nothing.
        if cell.data:
            wide = following is not None and following.data == ""
            yield cell.fg, cell.bold, wide, cell.data


def _graphemes(text: str) -> list[str]:
    return [character for character in text if character not in "\ufe0f\u200d"]


@contextmanager
def shell(
    home: Path, environment: Mapping[str, str], columns: int, rows: int
) -> Iterator[Terminal]:
    """
    Run a shell in a terminal.

    Args:
        home: where it begins.
        environment: all variables that it has, besides those of terminals.
        columns, rows: the size of the terminal.
    """
    process, descriptor = pty.fork()
    if process == 0:
        os.chdir(home)
        terminal = {"TERM": "xterm-256color", "PS1": "$ ", "PROMPT_TOOLKIT_NO_CPR": "1"}
        os.execve("/bin/sh", ["sh"], {**environment, **terminal})  # noqa: S606  (it is the shell)
    terminal_ = Terminal(descriptor, columns, rows)
    try:
        yield terminal_
    finally:
        _end(process, descriptor, terminal_.type)


def _end(process: int, descriptor: int, type_: Callable[[str], None]) -> None:
    try:
        type_("\x03")
        type_("exit\n")
    except OSError:
        # The shell has ended already.
        pass
    os.close(descriptor)
    os.kill(process, signal.SIGHUP)
    os.waitpid(process, 0)
