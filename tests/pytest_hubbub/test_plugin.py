"""Loading the plugin, as pytest does in every run where Hubbub is installed."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import pytest_hubbub
from pytest_hubbub.simulated import SEED_VARIABLE
from pytest_hubbub.watches import MARKS, OPTIONS

ROOT = Path(__file__).parents[2]
LOADED = """
import sys
import pytest
before = set(sys.modules)
import pytest_hubbub
new = {name.partition(".")[0] for name in set(sys.modules) - before}
print(*sorted(new - set(sys.stdlib_module_names)))
"""


def test_it_imports_only_pytest_until_a_test_uses_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED],
        capture_output=True,
        check=True,
        env={"PYTHONPATH": str(ROOT / "src")},
        text=True,
    )

    assert done.stdout.split() == ["pytest_hubbub"]


def test_pytest_finds_it_by_the_name_of_its_module() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["entry-points"]["pytest11"] == {"pytest_hubbub": "pytest_hubbub"}


def test_its_marks_are_declared(pytestconfig: pytest.Config) -> None:
    declared = {line.partition("(")[0] for line in pytestconfig.getini("markers")}

    assert {"simulated", "nonblocking", "no_leaks", "time_limit"} <= declared


def test_its_fixtures_are_public() -> None:
    assert pytest_hubbub.__all__ == ["clock", "hub", "hub_settings", "session", "tasks"]


def test_the_documentation_has_every_fixture_mark_and_option() -> None:
    page = (ROOT / "docs" / "how-to" / "test.md").read_text().partition("## Reference")[2]
    marks = [line.partition(":")[0] for line in (pytest_hubbub.SIMULATED, *MARKS)]

    names = [*pytest_hubbub.__all__, *marks, *OPTIONS, SEED_VARIABLE]
    assert [name for name in names if f"| `{name}" not in page] == []
