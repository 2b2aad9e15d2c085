"""The program's commands and their options."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from hubbub.cli.app import app
from tests.cli.program import run_program

COMMANDS = ["serve", "chat", "play", "watch", "top", "verify"]


def test_help_lists_the_commands() -> None:
    result = CliRunner().invoke(app, ["--help"])

    assert result.exit_code == 0
    assert all(f"  {command} " in result.output for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])

    assert result.exit_code == 0
    assert "Usage" in result.output


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (["serve", "--backend", "curio"], "--backend"),
        (["serve", "--port", "70000"], "--port"),
        (["serve", "--set", "colour=red"], "message_limit"),
        (["serve", "--set", "message_limit=many"], "message_limit cannot be"),
        (["chat"], "url"),
        (["chat", "http://127.0.0.1:8000"], "room"),
        (["play"], "url"),
        (["play", "http://127.0.0.1:8000", "--timeout", "long"], "--timeout"),
        (["watch"], "url"),
        (["top"], "url"),
        (["top", "http://127.0.0.1:8000", "--limit", "many"], "--limit"),
        (["verify"], "db"),
        (["dance"], "No such command"),
    ],
)
def test_a_wrong_argument_is_named(args: list[str], complaint: str) -> None:
    result = CliRunner().invoke(app, args)

    assert result.exit_code == 2
    assert complaint in result.output


def test_without_arguments_it_shows_its_help(tmp_path: Path) -> None:
    done = run_program(tmp_path)

    assert "Usage: hubbub [OPTIONS]" in done.out + done.err
