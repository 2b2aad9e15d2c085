"""Puts what a test needs around it for the time that it runs, under every plugin."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from inspect import iscoroutinefunction

import pytest

from .deferred import Deferred, run_test
from .deferring import is_simulated
from .simulated import run_simulated
from .watches import around_all, around_process, around_test, is_watched

__all__ = ["prepared"]


@contextmanager
def prepared(item: pytest.Item) -> Iterator[None]:
    """Let a test run with its deferred fixtures and its limits within the block."""
    with around_process(item), _prepared_for_its_loop(item):
        yield


@contextmanager
def _prepared_for_its_loop(item: pytest.Item) -> Iterator[None]:
    if not isinstance(item, pytest.Function):
        yield
        return
    given = getattr(item.obj, "hypothesis", None)
    test = item.obj if given is None else given.inner_test
    if not iscoroutinefunction(test):
        _check_plain(item)
        yield
        return
    needed = any(isinstance(value, Deferred) for value in item.funcargs.values())
    if not (needed or is_simulated(item) or is_watched(item)):
        yield
        return
    instead = _in_its_loop(item, around_test(item, test))
    with pytest.MonkeyPatch.context() as patch:
        if is_simulated(item):
            _check_foreign(item)
            # Not through the plugin that claims the test: it would start an event loop first.
            patch.setattr(item, "runtest", partial(_simulate, item, instead))
        else:
            _replace(patch, item, instead)
        yield


def _replace(
    patch: pytest.MonkeyPatch, item: pytest.Function, instead: Callable[..., object]
) -> None:
    given = getattr(item.obj, "hypothesis", None)
    if given is None:
        patch.setattr(item, "obj", instead)
    else:
        patch.setattr(given, "inner_test", instead)


def _simulate(item: pytest.Function, test: Callable[..., Awaitable[None]]) -> None:
    __tracebackhide__ = True

    @wraps(test)
    def instead(**arguments: object) -> None:
        __tracebackhide__ = True
        run_simulated(item, partial(test, **arguments))

    with pytest.MonkeyPatch.context() as patch:
        _replace(patch, item, instead)
        item.obj(**{name: item.funcargs[name] for name in item._fixtureinfo.argnames})


def _in_its_loop(
    item: pytest.Function, test: Callable[..., Awaitable[object]]
) -> Callable[..., Awaitable[None]]:
    """Return the test with its fixtures in its own task."""

    @wraps(test)
    async def instead(**arguments: object) -> None:
        __tracebackhide__ = True
        others = {
            name: value
            for name, value in item.funcargs.items()
            if name not in arguments and isinstance(value, Deferred)
        }

        run = partial(run_test, test, arguments, others)
        await around_all(item, run)()

    return instead


def _check_plain(item: pytest.Function) -> None:
    if is_simulated(item):
        pytest.fail("A simulated test must be an async function.", pytrace=False)
    for name, value in item.funcargs.items():
        if isinstance(value, Deferred):
            pytest.fail(
                f"The fixture {name!r} needs an event loop: make the test an async function.",
                pytrace=False,
            )


def _check_foreign(item: pytest.Function) -> None:
    for name, value in item.funcargs.items():
        if type(value).__name__ == "TrioFixture":
            pytest.fail(
                f"The fixture {name!r} is pytest-trio's and works in no simulation; "
                "the fixture 'tasks' is a task group.",
                pytrace=False,
            )
