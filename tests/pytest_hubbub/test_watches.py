"""The marks and the options in a stranger's project."""

from __future__ import annotations

from pathlib import Path

from tests.pytest_hubbub.project import ON_ANYIO, run_project

WATCHED = """
import os
import time

import anyio
import pytest


@pytest.fixture(scope="module")
def anyio_backend():
    return "trio"


async def test_blocks():
    time.sleep(0.2)


@pytest.mark.nonblocking(seconds=5)
async def test_may_block():
    time.sleep(0.2)


async def test_leaks():
    os.open("/dev/null", os.O_RDONLY)


def test_leaks_plainly():
    os.open("/dev/null", os.O_RDONLY)


@pytest.mark.no_leaks(False)
async def test_may_leak():
    os.open("/dev/null", os.O_RDONLY)


@pytest.mark.simulated(seeds=2)
async def test_takes_long(hub):
    await anyio.sleep(100)


@pytest.mark.simulated(seeds=2)
@pytest.mark.time_limit(200)
async def test_may_take_long(hub):
    await anyio.sleep(100)


@pytest.mark.time_limit("soon")
async def test_limit_that_is_no_number():
    pass


@pytest.mark.no_leaks(1, 2)
async def test_too_many_arguments():
    pass


async def test_clean(hub, session):
    await session("ann")
"""

OPTIONS = """
hubbub_blocking_seconds = "0.1"
hubbub_no_leaks = true
hubbub_time_limit_seconds = "60"
"""


def test_an_option_is_for_all_tests_and_a_mark_takes_precedence(tmp_path: Path) -> None:
    run = run_project(tmp_path, WATCHED, *ON_ANYIO, configuration=OPTIONS)

    passed = {name for name, outcome in run.outcomes.items() if outcome == "passed"}
    assert passed == {"test_may_block", "test_may_leak", "test_may_take_long", "test_clean"}
    assert "The test kept the event loop for 0.2" in run.text
    assert run.text.count(", /dev/null") == 2
    assert "The test took longer than 60 seconds." in run.text
    assert "Repeat it: HUBBUB_SEED=0 " in run.text
    assert "time_limit needs a number of seconds, not 'soon'." in run.text
    assert "The mark no_leaks has one argument: check." in run.text
