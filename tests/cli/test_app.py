"""The program's commands and their options."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hubbub.cli.app import app
from tests.cli.program import env_in, run_program

COMMANDS = ["serve", "chat", "play", "watch", "top", "shop", "verify", "backup", "restore", "renew"]


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
        (["chat"], "Missing argument 'URL'"),
        (["chat", "http://127.0.0.1:8000"], "Missing argument 'ROOM'"),
        (["play"], "Missing argument 'URL'"),
        (["play", "http://127.0.0.1:8000", "--timeout", "long"], "--timeout"),
        (["watch"], "Missing argument 'URL'"),
        (["top"], "Missing argument 'URL'"),
        (["top", "http://127.0.0.1:8000", "--limit", "many"], "--limit"),
        (["verify"], "Missing argument 'DB'"),
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


def test_it_shows_its_version(tmp_path: Path) -> None:
    done = run_program(tmp_path, "--version")

    assert (done.code, done.out, done.err) == (0, f"hubbub {version('hubbub')}\n", "")


def test_it_is_a_module_too(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-m", "hubbub", "--version"]
    done = subprocess.run(command, env=env_in(tmp_path), capture_output=True, text=True, check=True)

    assert done.stdout == f"hubbub {version('hubbub')}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_it_completes_in_a_shell(tmp_path: Path, shell: str) -> None:
    # Otherwise Typer asks which shell has started the tests.
    named = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    done = run_program(tmp_path, "--show-completion", shell, **named)

    assert (done.code, done.err) == (0, "")
    assert "_HUBBUB_COMPLETE" in done.out


def test_a_shell_asks_for_the_names_of_commands(tmp_path: Path) -> None:
    typed = {"_HUBBUB_COMPLETE": "complete_bash", "COMP_WORDS": "hubbub ve", "COMP_CWORD": "1"}
    done = run_program(tmp_path, **typed)

    assert (done.code, done.out.split()) == (0, ["verify"])
