"""Help pages: plain text, options in groups, examples at the end."""

from __future__ import annotations

from collections.abc import Iterable
from inspect import cleandoc
from typing import TYPE_CHECKING

from typer.core import TyperArgument, TyperCommand, TyperOption

if TYPE_CHECKING:
    from typer._click import Context, HelpFormatter, Parameter

__all__ = ["REQUIRED", "HelpCommand", "examples_in", "write_examples", "write_options"]

# The ``rich_help_panel`` of an argument that Typer does not know to be required.
REQUIRED = "required"
# In a command's docstring, what comes after this line is shown behind the options.
EXAMPLES = "\n\nExamples:\n"


class HelpCommand(TyperCommand):
    """
    A command whose help page shows its options in groups and ends with its examples.

    A group is the ``rich_help_panel`` of an option. The examples are the last part of the
    docstring, after the line ``Examples:``.
    """

    def collect_usage_pieces(self, ctx: Context) -> list[str]:
        """Return the arguments as the usage line names them: ``[URL] ROOM``."""
        arguments = [one for one in self.params if isinstance(one, TyperArgument)]
        return [str(self.options_metavar), *map(_usage_of, arguments)]

    def format_help_text(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the help without its examples."""
        whole, self.help = self.help, examples_in(self.help)[0]
        super().format_help_text(ctx, formatter)
        self.help = whole

    def format_options(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the arguments, and then the options, group by group."""
        write_options(self.get_params(ctx), ctx, formatter)

    def format_epilog(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the examples."""
        write_examples(examples_in(self.help)[1], formatter)


def examples_in(help_text: str | None) -> tuple[str, str]:
    """Split a docstring into what a command does and its examples."""
    text, _, examples = cleandoc(help_text or "").partition(EXAMPLES)
    return text, cleandoc(examples)


def write_options(params: Iterable[Parameter], ctx: Context, formatter: HelpFormatter) -> None:
    """Write the arguments, and then the options, group by group."""
    groups: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
    for param in params:
        record = param.get_help_record(ctx)
        if record is None:
            continue
        if isinstance(param, TyperArgument):
            groups["Arguments"].append((param.display_name_raw, record[1]))
            continue
        panel = param.rich_help_panel if isinstance(param, TyperOption) else None
        groups.setdefault(panel or "Options", []).append(record)
    # The options of no group, such as --help, come last.
    groups["Options"] = groups.pop("Options")
    for title, records in groups.items():
        if records:
            with formatter.section(title):
                formatter.write_dl(records)


def write_examples(examples: str, formatter: HelpFormatter) -> None:
    """Write unchanged lines under a heading."""
    if examples:
        with formatter.section("Examples"):
            for line in examples.splitlines():
                formatter.write(f"{'':>{formatter.current_indent}}{line}".rstrip() + "\n")


def _usage_of(argument: TyperArgument) -> str:
    name = argument.display_name_raw
    required = argument.required or argument.rich_help_panel == REQUIRED
    return name if required else f"[{name}]"
