"""The options of ``hubbub serve`` and their variables."""

from __future__ import annotations

import pytest
from typer.core import TyperOption
from typer.main import get_command

from hubbub.cli.app import app
from hubbub.cli.assignments import NAMES
from hubbub.cli.lazy_commands import LazyGroup


def options() -> list[TyperOption]:
    group = get_command(app)
    assert isinstance(group, LazyGroup)
    command = group.get_command(group.context_class(group), "serve")
    assert command is not None
    return [one for one in command.params if isinstance(one, TyperOption) and one.name != "help"]


@pytest.mark.parametrize("option", options(), ids=lambda option: option.name)
def test_every_option_but_set_has_a_variable_of_its_name(option: TyperOption) -> None:
    expected = None if option.name == "set_" else f"HUBBUB_{option.name.upper()}"

    assert option.envvar == expected


@pytest.mark.parametrize("option", options(), ids=lambda option: option.name)
def test_every_option_is_in_a_group_and_has_a_plain_type(option: TyperOption) -> None:
    assert option.rich_help_panel
    assert option.is_flag or option.metavar


def test_no_option_has_the_name_of_a_setting() -> None:
    assert not {option.name for option in options()} & set(NAMES)
