"""Checks of what must hold after every step, and of what must come true in time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import trio

from .run import current_simulation

__all__ = ["always", "eventually"]

# How long to wait before looking again, in seconds, at first.
LOOK_SECONDS_FIRST = 0.001
# How long to wait before looking again, in seconds, at most.
LOOK_SECONDS_MAX = 1.0


@contextmanager
def always(check: Callable[[], object]) -> Iterator[None]:
    """
    Check after each step of any task that something holds, as long as the block runs.

    Args:
        check: returns False, or raises, if it does not hold.

    Raises:
        RuntimeError: no simulation runs here.
        AssertionError: it does not hold; or the error of ``check``. The simulation raises it,
            after all its tasks were cancelled.
    """
    simulation = current_simulation()

    def checked() -> None:
        assert check() is not False, f"{_name(check)} does not hold any more."

    simulation.checks.append(checked)
    watch = _AfterEachStep(simulation.after_step) if simulation.backend == "trio" else None
    if watch is not None:
        trio.lowlevel.add_instrument(watch)
    try:
        yield
    finally:
        simulation.checks.remove(checked)
        if watch is not None:
            trio.lowlevel.remove_instrument(watch)


async def eventually(check: Callable[[], object], within: float) -> None:
    """
    Wait until something comes true.

    Args:
        check: returns a true value when it has; it may also raise AssertionError until then.
        within: how long it can take, in seconds of the event loop's time.

    Raises:
        AssertionError: it did not come true in time.
    """
    deadline = anyio.current_time() + within
    seconds = LOOK_SECONDS_FIRST
    while True:
        late = anyio.current_time() >= deadline
        try:
            if check():
                return
            reason = None
        except AssertionError as error:
            reason = error
        if late:
            raise AssertionError(f"{_name(check)} did not come true in {within} s.") from reason
        await anyio.sleep(min(seconds, max(0.0, deadline - anyio.current_time())))
        seconds = min(2 * seconds, LOOK_SECONDS_MAX)


class _AfterEachStep(trio.abc.Instrument):
    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell = tell

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        self._tell()


def _name(check: Any) -> str:
    return str(getattr(check, "__qualname__", check))
