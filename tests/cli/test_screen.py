"""A pipe, and a terminal where the user types while lines arrive."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput
from rich.text import Text

from hubbub.cli.screen import PlainScreen, TerminalScreen, screen_for


@pytest.fixture
def keyboard() -> Iterator[PipeInput]:
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        yield keys


async def read_all(data: bytes, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    with TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        monkeypatch.setattr(sys, "stdin", file)
        return [line async for line in PlainScreen().lines(lambda: "> ")]


async def test_a_file_is_read_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = await read_all("one\ntwo é\n\nlast".encode(), monkeypatch)

    assert lines == ["one", "two é", "", "last"]


async def test_what_is_no_text_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await read_all(b"\xff\n", monkeypatch) == ["\N{REPLACEMENT CHARACTER}"]


async def test_a_pipe_is_read_as_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader) as file:
        monkeypatch.setattr(sys, "stdin", file)
        os.write(writer, b"one\ntw")
        lines = PlainScreen().lines(lambda: "> ")
        first = await anext(lines)
        os.write(writer, b"o\n")
        os.close(writer)
        rest = [line async for line in lines]

    assert (first, rest) == ("one", ["two"])


def test_plain_lines_have_no_colours(capsys: pytest.CaptureFixture[str]) -> None:
    PlainScreen().show(Text("hello", style="red"))
    PlainScreen().complain("no")

    assert capsys.readouterr() == ("hello\n", "no\n")


def test_where_nobody_looks_it_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with screen_for(["/help"]) as screen:
        assert isinstance(screen, PlainScreen)


async def test_without_an_input_there_are_no_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    # A program that is started with its input closed has None in its place.
    monkeypatch.setattr(sys, "stdin", None)
    with screen_for([]) as screen:
        assert [line async for line in screen.lines(str)] == []


def test_who_stops_reading_does_not_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as nobody:
        monkeypatch.setattr(sys, "stdout", nobody)
        PlainScreen().show(Text("hello"))
        PlainScreen().show(Text("hello?"))

        assert os.fstat(writer).st_rdev == Path(os.devnull).stat().st_rdev


def test_a_terminal_shows_lines_whole_and_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    screen = TerminalScreen([])
    screen.show(Text("[5] ann: " + "x" * 300))
    screen.complain("no")

    assert capsys.readouterr().out == f"[5] ann: {'x' * 300}\n! no\n"


# prompt_toolkit is for asyncio, and so is the chat that uses it.
@pytest.mark.parametrize("key", ["\x03", "\x04"])
async def test_lines_are_typed_until_one_wants_no_more(
    keyboard: PipeInput, backend: str, key: str
) -> None:
    if backend != "asyncio":
        pytest.skip("a terminal is read on asyncio only")
    keyboard.send_text(f"hello\r/help\r{key}")
    lines = [line async for line in TerminalScreen(["/help"]).lines(lambda: "> ")]

    assert lines == ["hello", "/help"]
