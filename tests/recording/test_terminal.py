"""A shell in a pseudo-terminal, as a recording uses it."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("pyte", reason="pip install --group recording")

from tests.recording.terminal import Run, shell

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}


def runs_after(home: Path, line: str) -> list[Run]:
    """Type a line into a shell; return all runs on the screen."""
    with shell(home, ENVIRONMENT, 40, 6) as terminal:
        terminal.until("$")
        terminal.type(f"{line}\n")
        terminal.until("end")
        return [run for row in terminal.rows() for run in row]


def test_a_run_says_where_it_is_and_how_it_looks(tmp_path: Path) -> None:
    runs = runs_after(tmp_path, r"printf 'plain \033[1;31mred\033[0m\nend\n'")

    assert Run(0, 5, "plain", "default", bold=False) in runs
    assert Run(6, 3, "red", "red", bold=True) in runs


def test_a_wide_character_takes_two_cells(tmp_path: Path) -> None:
    runs = runs_after(tmp_path, "echo '🎲 x end'")
    (dice,) = [run for run in runs if run.text == "🎲" and run.column == 0]
    (rest,) = [run for run in runs if run.text == " x end" and run.column == 2]

    assert dice.cells == 2
    assert rest.cells == 6


def test_a_text_is_found_across_rows(tmp_path: Path) -> None:
    with shell(tmp_path, ENVIRONMENT, 20, 6) as terminal:
        terminal.until("$")
        terminal.type("echo one two three four five\n")

        terminal.until("one two three four five")


def test_a_text_that_does_not_come_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.recording.terminal.SECONDS_MAX", 0.1)
    with shell(tmp_path, ENVIRONMENT, 40, 6) as terminal, pytest.raises(TimeoutError, match="this"):
        terminal.until("this")
