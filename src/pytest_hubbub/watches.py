"""The marks and options that fail a test that leaks, blocks the event loop, or takes too long."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest

__all__ = [
    "MARKS",
    "OPTIONS",
    "add_options",
    "around_all",
    "around_process",
    "around_test",
    "is_watched",
]

BLOCKING_SECONDS = 0.1

MARKS = [
    f"nonblocking(seconds={BLOCKING_SECONDS}): fail an async test in which a task blocks.",
    "no_leaks(check=True): fail a test that leaves tasks, threads or open files behind.",
    "time_limit(seconds): cancel and fail an async test that takes longer; list where tasks wait.",
]


# Each does for all tests without a mark what the mark does for one.
OPTIONS = {
    "hubbub_blocking_seconds": "nonblocking",
    "hubbub_no_leaks": "no_leaks",
    "hubbub_time_limit_seconds": "time_limit",
}


def add_options(parser: pytest.Parser) -> None:
    """Declare the options."""
    for option, mark in OPTIONS.items():
        kind: Literal["bool", "string"] = "bool" if mark == "no_leaks" else "string"
        parser.addini(option, f"the mark {mark}, for all tests", kind)


def around_test(
    item: pytest.Function, test: Callable[..., Awaitable[object]]
) -> Callable[..., Awaitable[object]]:
    """Put around an async test what watches it and not its fixtures."""
    seconds = _seconds(item, "nonblocking", "hubbub_blocking_seconds", BLOCKING_SECONDS)
    if seconds is None:
        return test
    _check_extra()
    from .blocking import nonblocking

    return nonblocking(seconds, test)


def around_all(
    item: pytest.Function, run: Callable[[], Awaitable[None]]
) -> Callable[[], Awaitable[None]]:
    """Put around an async test what watches it with its fixtures."""
    seconds = _seconds(item, "time_limit", "hubbub_time_limit_seconds", None)
    if seconds is not None:
        _check_extra()
        from .time_limit import limited

        run = limited(seconds, run)
    if _leaks_fail(item):
        from .leaks import without_leaks

        run = without_leaks(run)
    return run


@contextmanager
def around_process(item: pytest.Item) -> Iterator[None]:
    """Put around a test, and the event loop that it runs in, what watches the process."""
    if not _leaks_fail(item):
        yield
        return
    from .leaks import Resources

    resources = Resources()
    yield
    resources.check()


def is_watched(item: pytest.Function) -> bool:
    """Return whether anything watches an async test."""
    marked = any(map(item.get_closest_marker, OPTIONS.values()))
    return marked or any(map(item.config.getini, OPTIONS))


def _check_extra() -> None:
    # Importing it names the extra to install, if a package is missing.
    import hubbub.testing  # noqa: F401


def _seconds(item: pytest.Item, mark_name: str, option: str, default: float | None) -> float | None:
    mark = item.get_closest_marker(mark_name)
    if mark is None:
        value: Any = item.config.getini(option) or None
    else:
        value = _argument(mark, "seconds", default=default)
    try:
        seconds = None if value is None and mark is None else float(value)
    except (TypeError, ValueError):
        raise pytest.UsageError(
            f"{mark_name if mark else option} needs a number of seconds, not {value!r}."
        ) from None
    return None if seconds == math.inf else seconds


def _leaks_fail(item: pytest.Item) -> bool:
    mark = item.get_closest_marker("no_leaks")
    if mark is None:
        return bool(item.config.getini("hubbub_no_leaks"))
    return bool(_argument(mark, "check", default=True))


def _argument(mark: pytest.Mark, name: str, *, default: object) -> Any:
    if len(mark.args) > 1 or mark.kwargs.keys() - {name} or (mark.args and mark.kwargs):
        raise pytest.UsageError(f"The mark {mark.name} has one argument: {name}.")
    return mark.args[0] if mark.args else mark.kwargs.get(name, default)
