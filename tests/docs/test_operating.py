"""The pages for operators: every command on them is run, and their tables are those of the code."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import anyio
import pytest
from typer.testing import CliRunner

import hubbub
from hubbub.cli.app import app
from hubbub.journal.stores.migrations import MIGRATIONS
from tests.docs.examples import ROOT
from tests.journal.golden.make import GOLDEN

HOW_TO = ROOT / "docs" / "how-to"
CLI = (ROOT / "docs" / "reference" / "cli.md").read_text()
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
CRON = re.compile(r"^30 3 \* \* \* (.*)$", re.MULTILINE)
USERS = ("list", "create", "set-password", "role", "disable", "enable")
SECONDS_MAX = 60


def shell(folder: Path, commands: str) -> str:
    """Run commands as a reader types them; return what they print."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash")
    (folder / "hubbub").write_text(f'#!/bin/sh\nexec {sys.executable} -m hubbub.cli "$@"\n')
    (folder / "hubbub").chmod(0o755)
    done = subprocess.run(
        [bash, "-e", "-c", commands],
        cwd=folder,
        env=os.environ
        | {
            "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join(sys.path),
        },
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def blocks_of(page: str) -> list[str]:
    return BLOCK.findall((HOW_TO / page).read_text())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder with a database of this release."""

    async def fill() -> None:
        async with hubbub.open(str(tmp_path / "hubbub.db")) as hub, hub.session("ann") as ann:
            await ann.chat.create_room("Lobby")

    anyio.run(fill)
    return tmp_path


@pytest.mark.timeout(SECONDS_MAX)
def test_the_commands_of_backup_and_restore_work_one_after_another(folder: Path) -> None:
    blocks = blocks_of("backup-and-restore.md")
    printed = [shell(folder, block) for block in blocks]

    assert len(blocks) == 5
    assert "".join(printed).count("no fault.") == 5
    assert (folder / "new-machine" / "hubbub.db").exists()


@pytest.mark.timeout(SECONDS_MAX)
def test_the_line_for_cron_works_up_to_the_other_machine(folder: Path) -> None:
    [line] = CRON.findall((HOW_TO / "backup-and-restore.md").read_text())
    here, _, there = line.replace("/var/lib/hubbub", str(folder)).partition(" && rsync ")
    first, again = shell(folder, here), shell(folder, here)

    assert there.endswith(r"$(date +\%A).db")
    assert first.endswith("no fault.\n")
    assert again.endswith("no fault.\n")


@pytest.mark.timeout(SECONDS_MAX)
def test_the_commands_of_the_upgrade_guide_work_one_after_another(tmp_path: Path) -> None:
    shutil.copy(GOLDEN / "0.1.0.db", tmp_path / "hubbub.db")
    blocks = blocks_of("upgrade.md")
    printed = [shell(tmp_path, block) for block in blocks]

    assert len(blocks) == 6
    assert printed[1].startswith("hubbub ")
    assert "nothing was changed" in printed[2]
    assert "hubbub.db.v3: a backup" in printed[3]
    assert printed[3].endswith("no fault.\n")
    assert printed[5].endswith("no fault.\n")


@pytest.mark.timeout(SECONDS_MAX)
def test_the_commands_for_a_user_who_leaves_work_one_after_another(tmp_path: Path) -> None:
    shutil.copy(GOLDEN / "0.1.0.db", tmp_path / "hubbub.db")
    section = (HOW_TO / "accounts.md").read_text().partition("## When a user leaves")[2]
    commands = re.findall(r"^    (hubbub .*)$", section.replace("Alice", "Ann"), re.MULTILINE)
    shell(tmp_path, "hubbub migrate hubbub.db")
    printed = [shell(tmp_path, f"echo y | {command}") for command in commands]

    assert len(printed) == 3
    assert "nothing was changed" in printed[1]
    assert "ann is erased" in printed[2]


def test_the_upgrade_guide_names_every_version() -> None:
    page = (HOW_TO / "upgrade.md").read_text()
    rows = re.findall(r"^\| \d+ \|.*$", page, re.MULTILINE)

    assert rows == [f"| {one.version} | Hubbub {one.release} | {one.what} |" for one in MIGRATIONS]


@pytest.mark.parametrize(
    "command",
    [["migrate"], ["export"], ["compact"], ["erase"], *(["users", name] for name in USERS)],
    ids=" ".join,
)
def test_every_option_is_in_the_reference(command: list[str]) -> None:
    shown = CliRunner().invoke(app, [*command, "--help"]).output
    options = set(re.findall(r"--[a-z-]+", shown)) - {"--help"}
    section = CLI.partition(f"## `hubbub {command[0]}")[2].partition("\n## ")[0]

    assert options
    assert all(f"| `{option}" in section for option in options)
    assert command[0] != "users" or f"| `hubbub {' '.join(command)}" in section
