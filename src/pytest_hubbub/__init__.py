"""
The pytest plugin of Hubbub's test kit: simulated tests, fixtures, and what fails a test.

Every run of pytest loads it, where Hubbub is installed. So it imports only pytest until a test
uses it.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from .deferring import deferring
from .fixtures import clock, hub, hub_settings, session, tasks
from .running import prepared
from .watches import MARKS, add_options

__all__ = ["clock", "hub", "hub_settings", "session", "tasks"]

SIMULATED = (
    "simulated(seeds=200, backend=None): run an async test in virtual time, once for each seed, "
    "which draws the order of the tasks. HUBBUB_SEED=17 runs one seed."
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options of the configuration file."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marks."""
    for line in (SIMULATED, *MARKS):
        config.addinivalue_line("markers", line)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    """Defer fixtures that need the event loop of the test."""
    with deferring(fixturedef, request):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Put around a test what it needs while it runs."""
    __tracebackhide__ = True
    with prepared(item):
        return (yield)
