"""Measures what docs/reliability.md says: seeds, crowds, planted bugs, kills and power losses."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.event_loop import Backend
from tests.simulator.planted import BUGS, hunt

__all__ = ["measure"]

ROOT = Path(__file__).parents[2]
BACKENDS: Sequence[Backend] = ("asyncio", "trio")
PLUGINS = {
    "asyncio": ("-p", "no:anyio", "--asyncio-mode=auto"),
    "trio": ("-p", "no:asyncio", "--anyio-mode=auto"),
}


def measure(seconds: float) -> str:
    """
    Run everything once; return what was found, as Markdown.

    Args:
        seconds: how long seeds are run, on both event loops at the same time.
    """
    parts = [
        f"Measured on {os.cpu_count()} cores with Python {platform.python_version()}.",
        _seeds(seconds),
        _crowds(),
        _planted(),
        _faults(),
    ]
    return "\n\n".join(parts)


def _seeds(seconds: float) -> str:
    command = [sys.executable, "-m", "hubbub", "simulate", "--for", str(seconds), "--backend"]
    running = [subprocess.Popen([*command, b], stdout=subprocess.PIPE, text=True) for b in BACKENDS]
    said = [one.communicate()[0] for one in running]
    assert not any(one.returncode for one in running), said
    return "Five users, a fault every 200 seconds on average:\n\n" + "\n".join(
        "* " + " ".join(text.split("\n")) for text in map(str.strip, said)
    )


def _crowds() -> str:
    lines = ["1,000 users in one room, in the server's process, without faults:", ""]
    for backend in BACKENDS:
        command = [sys.executable, "-m", "hubbub", "simulate", "--backend", backend]
        command += ["--clients", "1000", "--action-seconds", "30000", "--fault-seconds", "0"]
        said = subprocess.check_output([*command, "--in-process"], text=True)
        lines.append(f"* {said.splitlines()[0]}")
    return "\n".join(lines)


def _planted() -> str:
    lines = [
        "Planted bugs, each hunted from seed 0 on, half a simulated hour for each seed:",
        "",
        "| bug | event loop | found by | where | seconds |",
        "| --- | --- | --- | --- | --- |",
    ]
    for bug in BUGS:
        for backend in BACKENDS:
            with pytest.MonkeyPatch.context() as patch:
                bug.plant(patch)
                found = hunt(bug, backend)
            check = re.sub(r"\S*/", "", found.check).replace("|", "/")
            where = found.where.removeprefix("It was cancelled where it waited for ")
            lines.append(
                f"| {bug.name} | {backend} | {check} | {where.rstrip('.')} | {found.seconds:.1f} |"
            )
    return "\n".join(lines)


def _faults() -> str:
    lines = ["Real faults, on real files and in real processes:", ""]
    for what, tests, env in FAULTS:
        for backend in BACKENDS:
            began = time.perf_counter()
            said = _run(backend, tests, env)
            seconds = time.perf_counter() - began
            lines.append(f"* {what}, {backend}: {said} in {seconds:.0f} s.")
    return "\n".join(lines)


def _run(backend: str, tests: str, env: Mapping[str, str]) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "--timeout=1200", *PLUGINS[backend], tests]
    run = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True, check=False
    )
    found = re.search(r"(\d+ passed[^\n]*?) in ", run.stdout)
    assert run.returncode == 0, run.stdout
    assert found is not None
    return f"{found[1].replace(' passed', ' tests passed')}"


# What was done, the tests, and how often.
FAULTS: Sequence[tuple[str, str, Mapping[str, str]]] = (
    (
        "300 power losses of each database",
        "tests/faults/test_power_loss.py",
        {"HUBBUB_POWER_LOSSES": "300"},
    ),
)
