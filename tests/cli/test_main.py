"""The program where the packages of its extra are not installed."""

from __future__ import annotations

import subprocess
import sys

import pytest

MAIN = """
import sys
sys.modules[{missing!r}] = None
sys.argv = ["hubbub", "verify", "--help"]
from hubbub.cli import main
main()
"""


@pytest.mark.parametrize("module", ["typer", "rich.console"])
def test_a_missing_package_is_one_line(module: str) -> None:
    program = MAIN.format(missing=module)
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=15, check=False)

    assert done.returncode == 2
    missing = module.partition(".")[0]
    assert done.stderr == (
        f'The command hubbub needs {missing}, which is not installed: pip install "hubbub[cli]"\n'
    )


def test_a_fault_of_its_own_is_not_hidden() -> None:
    program = MAIN.format(missing="hubbub.cli.verify")
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=15, check=False)

    assert done.returncode == 1
    assert "ModuleNotFoundError" in done.stderr
