"""The film of a recording: what is seen when, in a drawing that needs no script."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

pytest.importorskip("pyte", reason="pip install --group recording")
pytest.importorskip("PIL", reason="pip install --group recording")

from tests.recording.film import COLOURS, Box, Film, Window
from tests.recording.terminal import Terminal, shell

WINDOW = Window(Box(0, 0, 400, 200), "A terminal")
PAGE = Box(0, 0, 0, 0)


def filmed(home: Path, *lines: str, seconds: float = 2.0) -> str:
    """Type lines into a shell, and film the screen after each."""
    film = Film(400, 200, [WINDOW])
    with shell(home, {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}, 40, 8) as terminal:
        terminal.until("$")
        for number, line in enumerate(lines):
            enter(terminal, line, number)
            film.show(seconds, [(WINDOW, terminal)], (PAGE, b""))
    return film.svg()


def enter(terminal: Terminal, line: str, number: int) -> None:
    """Type a line, and wait until it has been carried out: it ends with a word of its own."""
    terminal.type(f"{line}; echo d''one{number}\n")
    terminal.until(f"done{number}")


def test_a_row_is_seen_from_when_it_was_written(tmp_path: Path) -> None:
    svg = filmed(tmp_path, "echo one", "echo two")
    (name,) = re.findall(r'<g class="(k\d+) f"><text [^>]*>two</text>', svg)
    frames = re.search(rf"@keyframes {name}{{(.*?}})}}", svg)

    assert frames is not None
    assert frames[1].startswith("0%{visibility:hidden}50%{visibility:visible}")


def test_a_row_that_stays_is_drawn_once(tmp_path: Path) -> None:
    svg = filmed(tmp_path, "echo one", "true", "true")

    assert len(re.findall(">one</text>", svg)) == 1


def test_what_is_cleared_is_not_in_the_last_frame(tmp_path: Path) -> None:
    svg = filmed(tmp_path, "echo one", r"printf '\033[2J\033[H'")

    assert re.search(r'<g class="k\d+"><text [^>]*>one</text>', svg)


def test_the_film_is_whole_xml_and_has_no_script(tmp_path: Path) -> None:
    root = ET.fromstring(filmed(tmp_path, "echo '<b> & \"quotes\"'"))  # noqa: S314  (it is ours)

    assert not [element for element in root.iter() if element.tag.endswith("script")]
    assert "<b> &" in "".join(root.itertext())


@pytest.mark.parametrize("code", [*range(30, 38), *range(90, 98)])
def test_every_colour_of_a_terminal_is_seen_on_the_dark_ground(tmp_path: Path, code: int) -> None:
    svg = filmed(tmp_path, rf"printf '\033[{code}mtext\033[0m\n'")
    (colour,) = re.findall(r'<text [^>]*fill="([^"]*)"[^>]*>text</text>', svg)

    assert colour in COLOURS.values()
