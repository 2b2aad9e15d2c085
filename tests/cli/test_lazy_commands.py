"""Commands that are imported when they run."""

from __future__ import annotations

import subprocess
import sys
from inspect import cleandoc

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from hubbub.cli.app import COMMANDS, app
from hubbub.cli.lazy_commands import LazyGroup

WHAT_IS_LOADED = """
import sys
from typer.testing import CliRunner
from hubbub.cli.app import app
shown = CliRunner().invoke(app, {args!r})
assert shown.exit_code == 0, shown.output
loaded = {{"rich", "prompt_toolkit", "uvicorn", "hubbub.cli.serve", "hubbub.cli.chat"}}
print(",".join(sorted(loaded & sys.modules.keys())))
"""


def loaded_by(*args: str) -> str:
    program = WHAT_IS_LOADED.format(args=list(args))
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("args", [["--help"], ["--version"]])
def test_the_program_itself_loads_no_command(args: list[str]) -> None:
    assert loaded_by(*args) == ""


def test_the_help_of_a_command_loads_no_other() -> None:
    assert loaded_by("serve", "--help") == "hubbub.cli.serve"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_shows_the_first_line_of_a_commands_own_help(name: str) -> None:
    group = get_command(app)
    assert isinstance(group, LazyGroup)
    command = group.get_command(group.context_class(group), name)

    assert command is not None
    assert cleandoc(command.help or "").splitlines()[0] == COMMANDS[name].summary


def test_commands_are_listed_in_groups() -> None:
    shown = CliRunner().invoke(app, ["--help"]).stdout

    assert [shown.index(f"\n{one.group}:\n") for one in COMMANDS.values()] == sorted(
        shown.index(f"\n{one.group}:\n") for one in COMMANDS.values()
    )


def test_a_misspelt_command_is_corrected() -> None:
    result = CliRunner().invoke(app, ["srve"])

    assert result.exit_code == 2
    assert "No such command 'srve'. Did you mean 'serve'" in result.output


@pytest.mark.parametrize(("typed", "completed"), [("ve", ["verify"]), ("zz", []), ("--v", [])])
def test_names_of_commands_are_completed(typed: str, completed: list[str]) -> None:
    group = get_command(app)
    found = group.shell_complete(group.context_class(group), typed)
    names = [one.value for one in found if not one.value.startswith("-")]

    assert names == completed


def test_options_are_completed() -> None:
    group = get_command(app)
    found = group.shell_complete(group.context_class(group), "--v")

    assert [one.value for one in found] == ["--version"]
