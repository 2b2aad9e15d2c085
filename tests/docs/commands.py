"""
Shell commands of the documentation, checked without being run.

A command of Hubbub must exist with every option and take the values that it is given; so must
what is installed, each session of nox, and each variable of the environment.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
import shlex
import tomllib
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import PurePosixPath

import typer
from click import ClickException
from packaging.requirements import Requirement
from typer.core import TyperGroup
from uvicorn.main import main as uvicorn_command

from hubbub.cli.app import app
from hubbub.cli.serve import serve_hub
from hubbub.settings import Settings
from tests.docs.blocks import ROOT

__all__ = ["Unknown", "check_commands"]

SEPARATORS = {"&&", "||", "|", ";", "&"}
# Of these only the name is known.
STANDARD = {"cat", "cd", "cp", "curl", "echo", "jq", "mkdir", "uvicorn"}
ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
EXTRAS = set(
    tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
)
NOXFILE = (ROOT / "noxfile.py").read_text()
SERVE = inspect.signature(serve_hub).parameters
# What the environment of `hubbub serve` may set.
SETTINGS = {*Settings.__struct_fields__, *SERVE}
SOURCE = "\n".join(path.read_text() for path in (ROOT / "src" / "hubbub").rglob("*.py"))


class Unknown(AssertionError):
    """There is no such program, command, option, extra or session."""


def check_commands(code: str, *, others: bool = False) -> int:
    """
    Check some lines of commands; return how many commands there were.

    Args:
        code: the lines.
        others: whether programs may be there that are not known here.
    """
    count = 0
    for line in code.replace("\\\n", " ").splitlines():
        for words in commands_of(line):
            while words and ASSIGNMENT.fullmatch(words[0]):
                check_variable(words.pop(0))
            if words:
                check_command(words, others=others)
            count += 1
    return count


def commands_of(line: str) -> Iterator[list[str]]:
    """Split a line where a pipe, a semicolon and the like are."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for word in lexer:
        if word in SEPARATORS:
            yield words
            words = []
        elif word in {">", ">>", "<"}:
            next(lexer)
        else:
            words.append(word)
    if words:
        yield words


def check_command(words: list[str], *, others: bool) -> None:
    name, *args = words
    if name == "sudo":
        while args and args[0].startswith("-"):
            args = args[2:]
        name, *args = args
    name = re.sub(r"^(python|pip)3?$", r"\1", PurePosixPath(name).name or name)
    if name in CHECKS:
        CHECKS[name](args)
    elif name not in STANDARD and not others:
        raise Unknown(f"{name}: add a check for it to commands.py, or mark the block as not run")


def check_hubbub(args: list[str]) -> None:
    command = typer.main.get_command(app)
    context = typer.Context(command, info_name="hubbub")
    try:
        while isinstance(command, TyperGroup) and args and not args[0].startswith("-"):
            _, found, args = command.resolve_command(context, args)
            assert found is not None
            command, context = found, typer.Context(found, context, info_name=found.name)
        command.parse_args(context, args)
    except typer.Exit:
        return  # it prints help, or a version
    except typer.TyperException as error:
        # A file of the reader's is not there.
        if "does not exist" not in str(error):
            raise Unknown(f"hubbub {command.name}: {error}") from error


def check_docker(args: list[str]) -> None:
    """Check what is run in the container, whose service and command have one name."""
    if "hubbub" in args and {"exec", "run"} & set(args):
        inside = args[args.index("hubbub") + 1 :]
        if inside[:1] == ["hubbub"]:
            check_hubbub(inside[1:])


def check_pip(args: list[str]) -> None:
    assert args[0] == "install", args
    for arg in args[1:]:
        if arg.startswith("-"):
            continue
        requirement = Requirement(re.sub(r"^\.(?=\[|$)", "hubbub", arg))
        if requirement.name == "hubbub" and requirement.extras - EXTRAS:
            raise Unknown(f"no such extra: {requirement.extras - EXTRAS}")


def check_nox(args: list[str]) -> None:
    named = {
        node.name for node in ast.walk(ast.parse(NOXFILE)) if isinstance(node, ast.FunctionDef)
    }
    for option, session in pairwise(args):
        if option == "-s" and re.sub(r"-3\.\d+$", "", session) not in named:
            raise Unknown(f"no such session: {session}")


def check_python(args: list[str]) -> None:
    match args:
        case ["-m", "hubbub" | "hubbub.cli", *rest]:
            check_hubbub(rest)
        case ["-m", "pip", *rest]:
            check_pip(rest)
        case ["-m", module, *_]:
            if importlib.util.find_spec(module) is None:
                raise Unknown(f"no such module: {module}")
        case [str() as file] if file.endswith(".py"):
            pass
        case _:
            raise Unknown(f"python {shlex.join(args)}")


def check_pytest(args: list[str]) -> None:
    for arg in args:
        if arg.startswith("-") and arg not in {"-p", "-q", "-x"}:
            option = arg.partition("=")[0]
            if option not in {"--asyncio-mode", "--anyio-mode"}:
                raise Unknown(f"pytest {option}")


def check_uvicorn(args: list[str]) -> None:
    try:
        uvicorn_command.make_context("uvicorn", list(args))
    except ClickException as error:
        raise Unknown(f"uvicorn: {error.format_message()}") from error


def check_activation(args: list[str]) -> None:
    if not args[0].endswith("bin/activate"):
        raise Unknown(f". {args[0]}")


def check_export(args: list[str]) -> None:
    for arg in args:
        check_variable(arg)


def check_variable(assignment: str) -> None:
    name = assignment.partition("=")[0]
    if name.startswith("HUBBUB_"):
        setting = name.removeprefix("HUBBUB_").lower()
        if setting not in SETTINGS and f'"{name}"' not in SOURCE:
            raise Unknown(f"nobody reads {name}")


CHECKS: dict[str, Callable[[list[str]], None]] = {
    ".": check_activation,
    "docker": check_docker,
    "export": check_export,
    "hubbub": check_hubbub,
    "nox": check_nox,
    "pip": check_pip,
    "pytest": check_pytest,
    "python": check_python,
    "uvicorn": check_uvicorn,
}
