"""Where lines are shown and come from: a terminal, or a pipe."""

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
    """Where lines are shown and come from."""

    # True if nobody is there to try again what was refused for a while.
    patient: bool

    def show(self, line: Text) -> None:
        """Show a line."""

    def complain(self, text: str) -> None:
        """Show what went wrong."""

    def lines(self, prompt: Callable[[], str]) -> AsyncGenerator[str]:
        """Yield what is typed, line by line, until there is no more."""


class PlainScreen:
    """Plain lines, from the standard input and to the standard output, for scripts."""

    patient = True

    def show(self, line: Text) -> None:
        """Write a line to the standard output, at once."""
        _write(sys.stdout, line.plain)

    def complain(self, text: str) -> None:
        """Write a line to the standard error."""
        _write(sys.stderr, text)

    async def lines(self, prompt: Callable[[], str]) -> AsyncGenerator[str]:
        """Yield the lines of the standard input, the last one even if it does not end."""
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
    A terminal whose last line is typed into, while others are shown above it.

    Args:
        words: what is completed at the beginning of a line.
    """

    patient = False

    def __init__(self, words: Iterable[str]) -> None:
        # Its output is standard output at each moment: that is patched while one types.
        self._console = Console(highlight=False, soft_wrap=True)
        self._words = list(words)

    def show(self, line: Text) -> None:
        """Show a line above what is being typed."""
        self._console.print(line)

    def complain(self, text: str) -> None:
        """Show what went wrong, in red."""
        self.show(Text(f"! {text}", style="red"))

    async def lines(self, prompt: Callable[[], str]) -> AsyncGenerator[str]:
        """Yield what is typed, until Ctrl-C or Ctrl-D."""
        from prompt_toolkit import PromptSession  # noqa: PLC0415  # a pipe does not need it
        from prompt_toolkit.completion import WordCompleter  # noqa: PLC0415

        completer = WordCompleter(self._words, sentence=True)
        # What was typed comes back as it was said, so it need not stay as well.
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
    Choose a screen: a terminal if people see both ends of it.

    Args:
        words: what a terminal completes.
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
        # Nobody reads any more, but what is typed is still to be said.
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, file.fileno())
        os.close(nothing)


def _is_closed(file: TextIO) -> bool:
    """Tell whether the program was started without it: then Python has None in its place."""
    return file is None or file.closed


async def _read(descriptor: int) -> bytes:
    """Read what there is; nothing at the end."""
    # A file is always ready, and may not be waited for.
    with suppress(PermissionError):
        await anyio.wait_readable(descriptor)
    return await to_thread.run_sync(os.read, descriptor, READ_BYTES)
