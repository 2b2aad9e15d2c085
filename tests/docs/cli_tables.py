"""The tables of the command line, made from the code: run it to update them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from typer.core import TyperArgument, TyperOption
from typer.main import get_command

from hubbub.cli.app import app
from hubbub.cli.commands import CHAT_COMMANDS
from hubbub.cli.lazy_commands import LazyGroup
from hubbub.cli.match_client import MATCH_COMMANDS
from hubbub.cli.shop_client import SHOP_COMMANDS
from tests.docs.examples import ROOT

__all__ = ["PAGE", "page", "table"]

PAGE = ROOT / "docs" / "reference" / "cli.md"
PLACE = re.compile(r"<!-- (options|typed): (\w+) -->\n.*?<!-- end -->\n", re.DOTALL)


def page(text: str) -> str:
    """Return the page with its tables as the code has them."""
    return PLACE.sub(
        lambda found: f"<!-- {found[1]}: {found[2]} -->\n{table(found[1], found[2])}<!-- end -->\n",
        text,
    )


def table(kind: str, command: str) -> str:
    """
    Return a table.

    Args:
        kind: ``options`` of a command, or what can be ``typed`` while it runs.
        command: its name.
    """
    rows = list(options(command)) if kind == "options" else list(typed(command))
    head = ["option", "default", ""] if kind == "options" else ["command", ""]
    return "".join(f"| {' | '.join(row)} |\n" for row in [head, ["---"] * len(head), *rows])


def options(command: str) -> Iterable[list[str]]:
    """Yield the arguments and options of a command: how each is written, default and help."""
    group = get_command(app)
    assert isinstance(group, LazyGroup)
    found = group.get_command(group.context_class(group), command)
    assert found is not None
    for param in found.params:
        if isinstance(param, TyperArgument):
            yield [f"`{param.display_name_raw}`", "", escaped(param.help)]
        elif isinstance(param, TyperOption) and not param.hidden:
            name = param.opts[-1] if param.is_flag else f"{param.opts[-1]} {param.metavar}"
            default = "" if param.is_flag or param.default is None else f"`{param.default}`"
            yield [f"`{escaped(name)}`", default, escaped(param.help)]


def typed(command: str) -> Iterable[list[str]]:
    """Yield the commands of a client: how each is written, and what it does."""
    match command:
        case "chat":
            lines = [(f"/{name} {one.arguments}", one.does) for name, one in CHAT_COMMANDS.items()]
        case "play":
            lines = [(f"/{name}", does) for name, does in MATCH_COMMANDS.items()]
        case _:
            lines = [(f"{name} {one.arguments}", one.does) for name, one in SHOP_COMMANDS.items()]
    return [[f"`{escaped(name.strip())}`", escaped(does)] for name, does in lines]


def escaped(text: str | None) -> str:
    """Return a text for a cell of a table."""
    return (text or "").replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
