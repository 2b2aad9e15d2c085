"""Lines in and out: a terminal, or a pipe."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol, TextIO

import anyio
from anyio import to_thread
from rich.console import Console
from rich.text import Text

__all__ = ["PlainScreen", "Screen", "TerminalScreen", "screen_for"]

READ_BYTES = 64 * 1024


class Screen(Protocol):
    """Shows lines, and yields the lines that the user types."""

    # True if the program itself waits and repeats what a rate limit refused.
    patient: bool

    def show(self, line: Text) -> None:
        """Show a line."""

    def complain(self, text: str) -> None:
        """Show an error."""

    def lines(self, prompt: Callable[[], str]) -> AsyncGenerator[str]:
        """Yield lines until the input ends."""


class PlainScreen:
    """Plain lines for scripts: standard input, standard output, standard error."""

    patient = True

    def show(self, line: Text) -> None:
        """Write a line to the standard output, without a buffer."""
        _write(sys.stdout, line.plain)

    def complain(self, text: str) -> None:
        """Write a line to the standard error."""
        _write(sys.stderr, text)

    async def lines(self, prompt: Callable[[], str]) -> AsyncGenerator[str]:
        """Yield the lines of the standard input, also a last one without a newline."""
        if _is_closed(sys.stdin):
            return
        descriptor, rest = sys.stdin.fileno(), b""
        while data := await _read(descriptor):
            *whole, rest = (rest + data).split(b"\n")
            for line in whole:
                yield line.decode(errors="replace")
        if rest:
            yield rest.decode(errors="replace")


class TerminalScreen:
    """
    A terminal: the user types into the last line, and other lines appear above it.

    Args:
        words: what Tab completes at the beginning of a line.
    """

    patient = False

    def __init__(self, words: Iterable[str]) -> None:
        # It looks the standard output up for each line, because prompt_toolkit replaces it.
        self._console = Console(highlight=False, soft_wrap=True)
        self._words = list(words)

    def show(self, line: Text) -> None:
        """Show a line above what the user types."""
        self._console.print(line)

    def complain(self, text: str) -> None:
        """Show an error in red."""
        self.show(Text(f"! {text}", style="red"))

    async def lines(self, prompt: Callable[[], str]) -> AsyncGenerator[str]:
        """Yield what the user types, until Ctrl+C or Ctrl+D."""
        from prompt_toolkit import PromptSession  # noqa: PLC0415  # a pipe does not need it
        from prompt_toolkit.completion import WordCompleter  # noqa: PLC0415

        completer = WordCompleter(self._words, sentence=True)
        # The server sends the line as a message, so it need not stay on the screen as well.
        typing: PromptSession[str] = PromptSession(
            prompt, completer=completer, complete_while_typing=False, erase_when_done=True
        )
        while True:
            try:
                line = await typing.prompt_async()
            except (EOFError, KeyboardInterrupt):
                return
            yield line


@contextmanager
def screen_for(words: Iterable[str]) -> Iterator[Screen]:
    """
    Choose a screen: a terminal if input and output both are one, else plain lines.

    Args:
        words: what Tab completes.
    """
    if not all(not _is_closed(end) and end.isatty() for end in (sys.stdin, sys.stdout)):
        yield PlainScreen()
        return
    from prompt_toolkit.patch_stdout import patch_stdout  # noqa: PLC0415

    with patch_stdout(raw=True):
        yield TerminalScreen(words)


def _write(file: TextIO, line: str) -> None:
    if _is_closed(file):
        return
    try:
        file.write(f"{line}\n")
        file.flush()
    except BrokenPipeError:
        # Nobody reads the output any more, but the input still counts.
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, file.fileno())
        os.close(nothing)


def _is_closed(file: TextIO) -> bool:
    """Tell whether the program was started without it; Python then has None in its place."""
    return file is None or file.closed


async def _read(descriptor: int) -> bytes:
    """Read some bytes; none at the end."""
    # A file is always ready, and the kernel refuses to wait for it.
    with suppress(PermissionError):
        await anyio.wait_readable(descriptor)
    return await to_thread.run_sync(os.read, descriptor, READ_BYTES)
