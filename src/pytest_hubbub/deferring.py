"""Decides which fixtures are deferred, and how tests that take them run under each plugin."""

from __future__ import annotations

import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, wraps
from inspect import ismethod, unwrap
from typing import Any, TypeVar

import pytest

from .deferred import Deferred, is_async

__all__ = ["deferred_fixture", "deferring", "is_simulated"]

F = TypeVar("F", bound=Callable[..., object])

# The attribute of this plugin's own fixtures that has the function which makes the value.
FUNCTION = "hubbub_function"
# Plugins read these fixtures before an event loop runs.
CHOOSES_THE_LOOP = {"anyio_backend", "event_loop_policy"}


def deferred_fixture(function: F) -> F:
    """Make a fixture that is set up in the task of each test that takes it."""

    # pytest must see a plain function: each plugin would take an async fixture for its own.
    @wraps(function)
    def placeholder(**arguments: object) -> Deferred:
        return Deferred(function.__name__, function, arguments)

    setattr(placeholder, FUNCTION, function)
    fixture: Any = pytest.fixture(placeholder)
    return fixture  # type: ignore[no-any-return]  # it is called by pytest, by its arguments


def is_simulated(item: pytest.Item) -> bool:
    """Return whether a test runs in a simulation."""
    return item.get_closest_marker("simulated") is not None


@contextmanager
def deferring(fixture: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> Iterator[None]:
    """Defer the set-up of a fixture, if it needs that, within the block."""
    function = _function_instead(fixture, request)
    if function is None:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fixture, "func", function)
        yield


def _function_instead(
    fixture: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Callable[..., object] | None:
    """Return what pytest calls instead of a fixture's function; None if it calls that."""
    if request.scope != "function" or fixture.argname in CHOOSES_THE_LOOP:
        return None
    own: Callable[..., object] | None = getattr(fixture.func, FUNCTION, None)
    if own is not None:
        # pytest-trio runs fixtures in tasks of their own, beside the test.
        return own if _is_pytest_trios(request.node) else None
    function = _bound(fixture.func, request.instance)
    if not _is_deferred(fixture, request):
        return None

    def placeholder(**arguments: object) -> Deferred:
        return Deferred(fixture.argname, function, arguments)

    return placeholder


def _is_deferred(fixture: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> bool:
    values = [request.getfixturevalue(name) for name in fixture.argnames]
    if any(isinstance(value, Deferred) for value in values):
        return True
    # Each seed has its own: what the seed before has done to it is no concern of the next.
    return is_simulated(request.node) and (is_async(fixture.func) or _is_users(fixture.func))


def _is_pytest_trios(item: pytest.Item) -> bool:
    return (
        not is_simulated(item)
        and item.get_closest_marker("trio") is not None
        and any(map(item.config.pluginmanager.hasplugin, ("trio", "pytest_trio.plugin")))
    )


def _is_users(function: Callable[..., object]) -> bool:
    """Return whether a fixture belongs to the tested project, and not to an installed plugin."""
    code = getattr(unwrap(function), "__code__", None)
    return code is not None and not code.co_filename.startswith(_installed())


@cache
def _installed() -> tuple[str, ...]:
    return tuple(sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib"))


def _bound(function: Callable[..., object], instance: object) -> Callable[..., object]:
    # pytest has collected a method on another instance than that of the test.
    if ismethod(function) and isinstance(instance, type(function.__self__)):
        bound: Callable[..., object] = function.__func__.__get__(instance)
        return bound
    return function
