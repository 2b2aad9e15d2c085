"""Commands that are imported when they run, so that the program starts quickly."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import typer
from typer.core import TyperGroup
from typer.main import get_command

from ..extras import needs
from .help_pages import HelpCommand, write_options

if TYPE_CHECKING:
    from typer._click import Command, Context, HelpFormatter
    from typer._click.shell_completion import CompletionItem

__all__ = ["LazyCommand", "LazyGroup"]


class LazyCommand(NamedTuple):
    """
    Where a command is.

    Args:
        module: its module in ``hubbub.cli``.
        name: what the module calls it: a function, or a ``typer.Typer`` with commands of its
            own.
        summary: one line for the list of commands: the first line of its docstring.
        group: the heading that it is listed under.
    """

    module: str
    name: str
    summary: str
    group: str


class LazyGroup(TyperGroup):
    """A program whose commands are imported when they run or when their help is shown."""

    lazy: ClassVar[Mapping[str, LazyCommand]] = {}

    def list_commands(self, ctx: Context) -> list[str]:
        """Return the names of the commands."""
        return list(self.lazy)

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        """Import a command; None if there is none of that name."""
        # Where Typer looks for names that are like a misspelt one.
        for name in self.lazy:
            self.commands.setdefault(name, self)
        place = self.lazy.get(cmd_name)
        return None if place is None else _imported(cmd_name, place)

    def format_options(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the commands, group by group, and the options."""
        self.format_commands(ctx, formatter)
        write_options(self.get_params(ctx), ctx, formatter)

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the commands, group by group."""
        groups: dict[str, list[tuple[str, str]]] = {}
        # One column for all groups.
        width = max(map(len, self.lazy))
        for name, place in self.lazy.items():
            groups.setdefault(place.group, []).append((name.ljust(width), place.summary))
        for title, records in groups.items():
            with formatter.section(title):
                formatter.write_dl(records)

    def shell_complete(self, ctx: Context, incomplete: str) -> list[CompletionItem]:
        """Complete the name of a command."""
        from typer._click.shell_completion import CompletionItem  # noqa: PLC0415

        if incomplete.startswith("-"):
            return super(TyperGroup, self).shell_complete(ctx, incomplete)
        return [
            CompletionItem(name, help=place.summary)
            for name, place in self.lazy.items()
            if name.startswith(incomplete)
        ]


def _imported(name: str, place: LazyCommand) -> Command:
    with needs("cli", "The command hubbub"):
        module = import_module(f".{place.module}", __package__)
    found = getattr(module, place.name)
    if not isinstance(found, typer.Typer):
        function, found = found, typer.Typer(add_completion=False, rich_markup_mode=None)
        found.command(name, cls=HelpCommand)(function)
    command = get_command(found)
    command.name = name
    return command
