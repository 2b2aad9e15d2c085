"""Every block of code in the documentation is run, or read by what would read it."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml

from hubbub.cli.commands import CHAT_COMMANDS
from hubbub.cli.match_client import MATCH_COMMANDS
from hubbub.cli.shop_client import SHOP_COMMANDS
from tests.docs.blocks import Block, blocks
from tests.docs.commands import Unknown, check_commands
from tests.docs.examples import COMMENT, examples
from tests.docs.test_reference import ALL_METHODS

# Why a block is not run. Such a block is parsed all the same.
REASONS = {
    "it changes the machine",
    "it is a part of a program",
    "it needs Docker",
    "it needs an account",
}
UNIT = re.compile(r"^# (/\S+)\n(.*?)(?=^# /|\Z)", re.DOTALL | re.MULTILINE)
TYPED = {
    "hubbub chat": {f"/{name}" for name in CHAT_COMMANDS},
    "hubbub play": {f"/{name}" for name in MATCH_COMMANDS},
    "hubbub shop": set(SHOP_COMMANDS),
}
RUN = {example.name for example in examples()}
# What a session does on the wire, besides its services' methods.
SESSION = {"cancel", "follow", "read", "sign_in", "unfollow"}


def reason_of(block: Block) -> str | None:
    said = COMMENT.fullmatch(block.comment)
    return said["reason"] if said is not None else None


def check_python(block: Block) -> None:
    assert block.name in RUN or reason_of(block) is not None, "nothing runs it"

    compile(block.code, block.name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def check_shell(block: Block) -> None:
    if block.name not in RUN:
        assert check_commands(block.code, others=reason_of(block) is not None)


def read_json(text: str) -> object:
    """Read JSON in which … leaves something out."""
    value: object = json.loads(re.sub(r",\s*…(?=[}\]])", "", text).replace("{…}", "{}"))
    return value


def check_wire(block: Block) -> None:
    """Check the messages of a connection."""
    for line in filter(None, block.code.splitlines()):
        direction, _, text = line.partition(" ")
        assert direction in {"->", "<-"}
        message = read_json(text)
        if direction == "->" and isinstance(message, dict):
            check_request(message["method"], message["params"])


def check_request(name: str, params: dict[str, object]) -> None:
    if name.startswith("session."):
        assert name.removeprefix("session.") in SESSION
    else:
        method = next(one for one in ALL_METHODS.values() if one.name == name)
        assert params.keys() <= set(method.function.__annotations__)


def check_indented(block: Block) -> None:
    if block.code.startswith(("-> ", "<- ")):
        check_wire(block)
    elif block.code.startswith("{"):
        read_json(block.code)
    elif reason_of(block) is not None:
        check_python(block)
    else:
        check_shell(block)


def check_console(block: Block) -> None:
    """Check the commands among what they print."""
    commands = re.findall(r"^\$ (.+)$", block.code, re.MULTILINE)
    assert check_commands("\n".join(commands))


def check_js(block: Block) -> None:
    """Let Node.js parse a module; Playwright brings one."""
    node, _ = pytest.importorskip("playwright._impl._driver").compute_driver_executable()
    with TemporaryDirectory() as folder:
        file = Path(folder, "page.mjs")
        file.write_text(block.code)
        assert output_of(node, "--check", str(file)) == ""


def check_units(block: Block) -> None:
    """Check units of systemd, each headed by a comment with its path."""
    units = UNIT.findall(block.code)
    assert units
    for path, unit in units:
        assert Path(path).suffix in {".service", ".timer"}
        assert re.findall(r"^\[(\w+)\]$", unit, re.MULTILINE)[0] == "Unit"
        for line in filter(None, unit.splitlines()):
            assert re.fullmatch(r"\[\w+\]|[A-Z]\w+=.*|#.*", line), line
        for command in re.findall(r"hubbub/bin/(hubbub [^\n']+)", unit):
            check_commands(command.replace("%%", "%"))
    if systemd := shutil.which("systemd-analyze"):
        with TemporaryDirectory() as folder:
            files = [Path(folder, Path(path).name) for path, _ in units]
            for file, (_, unit) in zip(files, units, strict=True):
                file.write_text(unit.replace("/opt/hubbub/bin/hubbub", "/bin/true"))
            assert output_of(systemd, "verify", "--man=no", *map(str, files)) == ""


def check_nginx(block: Block) -> None:
    crossplane = pytest.importorskip("crossplane")
    # In a map there are values, and no directives.
    code = re.sub(r"^(map [^{]+\{).*?^\}", r"\1}", block.code, flags=re.DOTALL | re.MULTILINE)
    with TemporaryDirectory() as folder:
        file = Path(folder, "nginx.conf")
        file.write_text(f"events {{}}\nhttp {{\n{code}}}\n")
        parsed = crossplane.parse(str(file), strict=True)

    assert (parsed["status"], parsed["errors"]) == ("ok", [])


def check_caddyfile(block: Block) -> None:
    if (caddy := shutil.which("caddy")) is None:
        pytest.skip("there is no caddy")
    with TemporaryDirectory() as folder:
        file = Path(folder, "Caddyfile")
        file.write_text(block.code)
        adapted = json.loads(output_of(caddy, "adapt", "--config", str(file)))

    assert "apps" in adapted


def output_of(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


CHECKS: dict[str, Callable[[Block], object]] = {
    "": check_indented,
    "caddyfile": check_caddyfile,
    "console": check_console,
    "ini": check_units,
    "js": check_js,
    "json": lambda block: json.loads(block.code),
    "nginx": check_nginx,
    "python": check_python,
    "sh": check_shell,
    "text": lambda block: block,
    "toml": lambda block: tomllib.loads(block.code),
    "yaml": lambda block: yaml.safe_load(block.code),
}


@pytest.mark.parametrize("block", blocks(), ids=lambda block: block.name)
def test_every_block_is_run_or_checked(block: Block) -> None:
    said = COMMENT.fullmatch(block.comment)
    if said is not None and said["program"] is not None:
        typed = {line.split()[0] for line in block.code.splitlines()}
        assert typed <= TYPED[said["program"]]
    else:
        assert block.language in CHECKS, f"add a check of {block.language} to CHECKS"
        CHECKS[block.language](block)


def test_every_block_that_is_not_run_has_one_of_the_reasons() -> None:
    assert {reason for block in blocks() if (reason := reason_of(block))} == REASONS


@pytest.mark.parametrize("block", blocks(), ids=lambda block: block.name)
def test_no_comment_is_misspelt(block: Block) -> None:
    assert not block.comment or COMMENT.fullmatch(block.comment)


@pytest.mark.parametrize(
    "commands",
    [
        "hubbub serv",
        "hubbub serve --prot 8000",
        "hubbub serve --port many",
        "hubbub restore copy.db",
        "cd there && hubbub top --help-me",
        "pip install 'hubbub[everything]'",
        "nox -s dcos",
        "export HUBBUB_MESSAGE_LIMT=3",
        "python3 -m hubbub.cli serve --prot 8000",
        "rm -r /",
    ],
)
def test_a_command_that_does_not_exist_is_found(commands: str) -> None:
    with pytest.raises(Unknown):
        check_commands(commands)
