"""Which event loop this run is for, and which tests depend on it."""

from __future__ import annotations

import os
from inspect import isasyncgenfunction, iscoroutinefunction
from typing import Literal

import pytest

__all__ = ["LOOP", "Backend", "depends_on_it", "of_this_run"]

Backend = Literal["asyncio", "trio"]

# The event loop of asyncio's that this run is for.
LOOP = os.environ.get("HUBBUB_TEST_LOOP", "asyncio")


def of_this_run(config: pytest.Config) -> Backend:
    """Name the event loop that the plugin of this run uses for async tests."""
    return "asyncio" if config.pluginmanager.hasplugin("asyncio") else "trio"


def depends_on_it(item: pytest.Item) -> bool:
    """
    Return whether a test could do something else on another event loop.

    The others are the same in each run: they wait for nothing, or choose an event loop
    themselves, perhaps both. A test learns which one it is only by being async, by an async
    fixture, or by the fixture ``backend``; ``test_tidy.py`` holds that there is no other way.
    """
    if not isinstance(item, pytest.Function):
        return True
    if iscoroutinefunction(inner_test(item)):
        return True
    # A parameter that is called as a fixture is takes its place.
    given = item.callspec.params if hasattr(item, "callspec") else {}
    names = set(item.fixturenames) - given.keys()
    if "backend" in names:
        return True
    found = item._fixtureinfo.name2fixturedefs
    made_by = [fixture.func for name in names for fixture in found.get(name, ())]
    return any(iscoroutinefunction(made) or isasyncgenfunction(made) for made in made_by)


def inner_test(item: pytest.Function) -> object:
    """Return the function of a test as it is written; hypothesis wraps those it draws for."""
    return getattr(getattr(item.obj, "hypothesis", None), "inner_test", item.obj)
