"""The page of the command line says what the program says."""

from __future__ import annotations

import re

import pytest
from typer.core import TyperOption
from typer.main import get_command

from hubbub.cli.app import COMMANDS, app
from hubbub.cli.lazy_commands import LazyGroup
from tests.docs import cli_tables

TEXT = cli_tables.PAGE.read_text()


def test_the_tables_are_those_of_the_code() -> None:
    # `python -m tests.docs.cli_tables` writes the tables anew.
    assert cli_tables.page(TEXT) == TEXT


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_section(command: str) -> None:
    assert re.search(rf"^## `hubbub {command}\b", TEXT, re.MULTILINE)


@pytest.mark.parametrize("command", ["chat", "play", "watch", "top", "shop", "serve", "verify"])
def test_every_command_of_this_page_has_a_table(command: str) -> None:
    assert f"<!-- options: {command} -->" in TEXT


def test_every_variable_of_serve_follows_from_its_option() -> None:
    group = get_command(app)
    assert isinstance(group, LazyGroup)
    serve = group.get_command(group.context_class(group), "serve")
    assert serve is not None
    options = [one for one in serve.params if isinstance(one, TyperOption) and one.envvar]

    assert all(
        one.envvar == f"HUBBUB_{one.opts[-1].lstrip('-').upper().replace('-', '_')}"
        for one in options
    )


def test_a_bar_in_a_cell_is_escaped() -> None:
    assert "`--backend asyncio\\|trio NAME`" not in TEXT
    assert "`--backend asyncio\\|trio`" in TEXT
