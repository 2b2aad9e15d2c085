"""Runs pytest on a project that is not Hubbub's."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ON_ANYIO", "ON_ASYNCIO", "Run", "run_project", "run_shell"]

SOURCE = Path(__file__).parents[2] / "src"

# It must not be told how this run was started.
OURS = (
    *("CI", "BUILD_NUMBER", "HUBBUB_SEED"),
    *("PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "PYTEST_CURRENT_TEST"),
)

ON_ASYNCIO = ["-p", "no:anyio", "--asyncio-mode=auto"]
ON_ANYIO = ["-p", "no:asyncio", "--anyio-mode=auto"]

CONFIGURATION = """
[tool.pytest]
addopts = ["--strict-config", "--strict-markers", "-p", "pytest_hubbub", "-p", "no:cacheprovider"]
filterwarnings = [
    "error",
    "ignore:The configuration option .asyncio_default_fixture_loop_scope. is unset",
]
"""


@dataclass(frozen=True)
class Run:
    """The output of pytest, and how each test ended, by the name of its function."""

    folder: Path
    outcomes: Mapping[str, str]
    text: str

    def line_with(self, words: str) -> str:
        """Return the first line that has some words."""
        return next(line for line in self.text.splitlines() if words in line)


def run_project(folder: Path, tests: str, *options: str, configuration: str = "") -> Run:
    """Run pytest in a folder on a module of tests, with further lines of configuration."""
    (folder / "pyproject.toml").write_text(CONFIGURATION + configuration)
    (folder / "test_project.py").write_text(tests)
    return _run([sys.executable, "-m", "pytest", "-rA", "--tb=short", *options], folder)


def run_shell(line: str, folder: Path) -> Run:
    """Run a line as it would be typed into a shell, with this Python as ``python``."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return _run(["sh", "-c", line], folder, PATH=path)


def _run(command: list[str], folder: Path, **variables: str) -> Run:
    inherited = {name: value for name, value in os.environ.items() if name not in OURS}
    paths = [str(SOURCE), *filter(None, [os.environ.get("PYTHONPATH")])]
    env = {**inherited, "PYTHONPATH": os.pathsep.join(paths), **variables}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    text = done.stdout + done.stderr
    ended = re.findall(
        r"^(PASSED|FAILED|ERROR|SKIPPED) [^:\s]*::(?:\w+::)?(\w+)", text, re.MULTILINE
    )
    assert ended, text
    return Run(folder, {name: outcome.lower() for outcome, name in ended}, text)
