"""How a command ends when it fails."""

from __future__ import annotations

import pytest
import typer

from hubbub import NotFound
from hubbub.cli.exit import exit_on_error, fail


def test_a_failure_is_one_line_on_the_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert fail("It is broken.").exit_code == 1
    assert capsys.readouterr() == ("", "It is broken.\n")


def test_an_error_of_hubbub_is_its_message(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit), exit_on_error():
        raise NotFound("There is no such thing.")

    assert capsys.readouterr().err == "There is no such thing.\n"


def test_any_other_error_is_left_alone() -> None:
    with pytest.raises(ZeroDivisionError), exit_on_error():
        raise ZeroDivisionError
