"""Help pages."""

from __future__ import annotations

from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from hubbub.cli.help_pages import REQUIRED, HelpCommand, examples_in

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=HelpCommand)
def paint(
    wall: Annotated[str, typer.Argument(metavar="WALL", help="The wall.")],
    door: Annotated[
        str | None, typer.Argument(metavar="DOOR", rich_help_panel=REQUIRED, help="The door.")
    ] = None,
    room: Annotated[str | None, typer.Argument(metavar="ROOM", help="The room.")] = None,
    colour: Annotated[
        str, typer.Option(metavar="NAME", rich_help_panel="Colour", help="The colour.")
    ] = "red",
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing.")] = False,
    old: Annotated[str | None, typer.Option("--old", hidden=True)] = None,
) -> None:
    """
    Paint a wall.

    It takes a while.

    Examples:
        hubbub paint north
        hubbub paint north --colour blue     # and not red
    """


@pytest.fixture(scope="module")
def page() -> str:
    return CliRunner().invoke(app, ["--help"], terminal_width=80).stdout


def test_a_page_has_usage_then_arguments_then_groups_then_examples(page: str) -> None:
    assert page.splitlines() == [
        "Usage: paint [OPTIONS] WALL DOOR [ROOM]",
        "",
        "  Paint a wall.",
        "",
        "  It takes a while.",
        "",
        "Arguments:",
        "  WALL  The wall.  [required]",
        "  DOOR  The door.",
        "  ROOM  The room.",
        "",
        "Colour:",
        "  --colour NAME  The colour.  [default: red]",
        "",
        "Options:",
        "  --quiet  Say nothing.",
        "  --help   Show this message and exit.",
        "",
        "Examples:",
        "  hubbub paint north",
        "  hubbub paint north --colour blue     # and not red",
    ]


def test_a_docstring_without_examples_is_all_text() -> None:
    assert examples_in("Paint.\n\n    It takes a while.\n    ") == (
        "Paint.\n\nIt takes a while.",
        "",
    )


def test_no_docstring_is_no_text() -> None:
    assert examples_in(None) == ("", "")
