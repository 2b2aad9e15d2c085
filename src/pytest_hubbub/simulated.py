"""Runs a test that is marked ``simulated`` once for each seed, as one test."""

from __future__ import annotations

import contextvars
import os
import shlex
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, cast

import pytest

__all__ = ["SEED_VARIABLE", "run_simulated"]

Backend = Literal["asyncio", "trio"]

SEED_VARIABLE = "HUBBUB_SEED"


def run_simulated(item: pytest.Function, test: Callable[[], Awaitable[None]]) -> None:
    """
    Run a test under the seeds of its mark.

    Args:
        item: the test, as pytest knows it.
        test: runs the test once, with its fixtures.

    Raises:
        BaseException: the failure of the first seed that fails, with notes that say how to
            repeat it.
    """
    __tracebackhide__ = True
    seeds, backend = _arguments_of(item)
    running: list[int] = []
    try:
        _explore(test, backend or _backend_of(item), _tracked(seeds, running))
    except pytest.skip.Exception:
        raise
    except BaseException as error:
        if running:
            error.add_note(f"Repeat it: {_command(item, running[-1])}")
        if isinstance(error, pytest.fail.Exception) and not error.pytrace:
            # pytest prints its message only.
            error.msg = "\n".join([str(error.msg), *error.__notes__])
        raise


def _arguments_of(item: pytest.Function) -> tuple[Iterable[int], Backend | None]:
    mark = item.get_closest_marker("simulated")
    assert mark is not None
    known = {"seeds", "backend"}
    backend = mark.kwargs.get("backend")
    if mark.args or mark.kwargs.keys() - known or backend not in (None, "asyncio", "trio"):
        pytest.fail(
            "Use the mark with its arguments by name: "
            "pytest.mark.simulated(seeds=200, backend='asyncio'), or 'trio'.",
            pytrace=False,
        )
    seeds = mark.kwargs.get("seeds", 200)
    if chosen := os.environ.get(SEED_VARIABLE):
        if not chosen.removeprefix("-").isdecimal():
            pytest.fail(f"{SEED_VARIABLE} must be a number, not {chosen!r}.", pytrace=False)
        seeds = [int(chosen)]
    return range(seeds) if isinstance(seeds, int) else seeds, backend


def _tracked(seeds: Iterable[int], running: list[int]) -> Iterator[int]:
    for seed in seeds:
        running[:] = [seed]
        yield seed


def _backend_of(item: pytest.Function) -> Backend:
    """Return the backend that the plugin which claims the test would run it on."""
    if item.get_closest_marker("trio") is not None:
        return "trio"
    chosen = item.funcargs.get("anyio_backend", "asyncio")
    return cast("Backend", chosen[0] if isinstance(chosen, tuple) else chosen)


def _explore(test: Callable[[], Awaitable[None]], backend: Backend, seeds: Iterable[int]) -> None:
    __tracebackhide__ = True
    from hubbub.testing.simulation import Deadlock, explore

    # A run that repeats one seed is for looking closely, and should be one run.
    shrink = SEED_VARIABLE not in os.environ

    def run() -> None:
        __tracebackhide__ = True
        try:
            explore(test, backend=backend, seeds=seeds, shrink=shrink)
        except Deadlock as error:
            # Its message has the places; the traceback would lead into the event loop.
            raise error.with_traceback(None) from None

    if _in_trio_run():
        # anyio's plugin keeps the event loop of a module's async fixture inside trio.run.
        with ThreadPoolExecutor(1) as another_thread:
            another_thread.submit(contextvars.copy_context().run, _as_first, run).result()
    else:
        contextvars.copy_context().run(_as_first, run)


def _in_trio_run() -> bool:
    import trio

    return trio.lowlevel.in_trio_run()


def _as_first(run: Callable[[], None]) -> None:
    __tracebackhide__ = True
    import sniffio

    # anyio's plugin also leaves the name of that event loop in the context.
    sniffio.current_async_library_cvar.set(None)
    run()


def _command(item: pytest.Function, seed: int) -> str:
    """Return the command that repeats a seed, from the directory that pytest was started in."""
    started = item.config.invocation_params
    # A worker of pytest-xdist has the arguments of the process that started it.
    worker = getattr(item.config, "workerinput", None)
    called, *words = worker["mainargv"] if worker else [sys.argv[0], *started.args]
    program = ["python", "-m", "pytest"] if called.endswith("__main__.py") else ["pytest"]
    path = os.path.relpath(item.path, started.dir)
    test = "::".join([path, *item.nodeid.split("::")[1:]])
    whole = [*program, *_options(map(str, words), item.config.args), test]
    return f"{SEED_VARIABLE}={seed} {' '.join(map(shlex.quote, whole))}"


def _options(words: Iterable[str], tests: list[str]) -> list[str]:
    """Return the options among the words of a command, without the names of tests."""
    options = list(words)
    # An option can have the same value as a name, and usually comes before it.
    for name in reversed(tests):
        if name in options:
            del options[len(options) - 1 - options[::-1].index(name)]
    return options
