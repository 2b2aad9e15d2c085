"""Every example runs, and every link leads somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.examples import PAGES, Example, examples

EXAMPLES = examples()
SERVER = """
import sys
from hubbub.server.run import run
run("memory://", port=0, on_ready=lambda address: print(address, flush=True))
"""
SECONDS_MAX = 15


def run(code: str, folder: Path) -> None:
    """Run a program of its own."""
    program = folder / "example.py"
    program.write_text(code)
    command = [sys.executable, "-W", "error", str(program)]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=SECONDS_MAX, check=False
    )
    assert done.returncode == 0, done.stderr


def test_there_are_examples() -> None:
    assert len(EXAMPLES) > 5


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize(
    "example", [e for e in EXAMPLES if not e.needs_server], ids=lambda e: e.name
)
def test_an_example_runs(example: Example, backend: str, tmp_path: Path) -> None:
    run(example.code.replace("anyio.run(main)", f'anyio.run(main, backend="{backend}")'), tmp_path)


@pytest.mark.parametrize("example", [e for e in EXAMPLES if e.needs_server], ids=lambda e: e.name)
def test_an_example_runs_against_a_server(example: Example, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        try:
            run(example.code.replace("http://127.0.0.1:8000", address), tmp_path)
        finally:
            server.terminate()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())

    assert [link for link in links if not (page.parent / link).exists()] == []
