"""
trio in virtual time, whose order of ready tasks is drawn.

trio sorts each batch of ready tasks and has it shuffled, for Hypothesis and pytest-trio, if they
ask for it: by ``_ALLOW_DETERMINISTIC_SCHEDULING`` and ``_r`` of ``trio._core._run``, which are
private and have been there since 2019 (python-trio/trio#890). Here the shuffle also puts tasks
back: shuffled alone, each ready task takes one step in each turn, and no task can fall two steps
behind another.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import trio
import trio._core._run as trio_run

from .choices import Choices, Observer

__all__ = ["JumpingClock", "ordered"]

# The private names of trio that this needs; see the top of this file.
NEEDED = ("_ALLOW_DETERMINISTIC_SCHEDULING", "_r", "GLOBAL_RUN_CONTEXT")

# How often the time can be read at one instant, before a moment passes; trio itself reads it in
# each turn. See ``asyncio_loop`` for why.
READINGS_AT_ONCE_MAX = 100_000
MOMENT = 1e-6


class JumpingClock(trio.abc.Clock):
    """
    A clock that stands until no task is ready, and then is at the next deadline.

    ``MockClock(autojump_threshold=0)`` takes two turns of the event loop for each jump.

    Args:
        observer: the clock notifies it when no deadline is left.
    """

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._now = 0.0
        self._readings_at_once = 0
        # True until the observer has heard that no deadline is left.
        self._telling = False

    def start_clock(self) -> None:
        """Do nothing: time begins at 0."""

    def current_time(self) -> float:
        """Return the virtual time in seconds."""
        self._readings_at_once += 1
        if self._readings_at_once > READINGS_AT_ONCE_MAX:
            self._now += MOMENT
            self._readings_at_once = 0
        return self._now

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """Jump to a deadline, and sleep for no time."""
        runner: Any = trio_run.GLOBAL_RUN_CONTEXT.runner
        if runner.waiting_for_idle:
            return 1.0  # longer than the cushion of wait_all_tasks_blocked, which comes first
        if deadline == math.inf:
            if not self._telling:
                self._telling = True
                runner.entry_queue.run_sync_soon(self._tell)
        elif deadline > self._now:
            self._now, self._readings_at_once = deadline, 0
        return 0.0

    def _tell(self) -> None:
        self._telling = False
        self._observer.dead()


@contextmanager
def ordered(observer: Observer) -> Iterator[None]:
    """
    Let trio's order of ready tasks be drawn, for runs that begin inside.

    Raises:
        RuntimeError: this version of trio has no way to do it.
    """
    if observer.choices is None:
        yield
        return
    missing = [name for name in NEEDED if not hasattr(trio_run, name)]
    if missing:
        raise RuntimeError(
            f"trio {trio.__version__} has no {', '.join(missing)}: the order of its tasks cannot "
            "be drawn. Use another version of trio, or simulate without a seed."
        )
    internals: Any = trio_run
    before = internals._ALLOW_DETERMINISTIC_SCHEDULING, internals._r
    internals._ALLOW_DETERMINISTIC_SCHEDULING = True
    internals._r = _Order(observer, observer.choices, before[1])
    try:
        yield
    finally:
        internals._ALLOW_DETERMINISTIC_SCHEDULING, internals._r = before


class _Order:
    """Stands in the place of trio's random generator."""

    def __init__(self, observer: Observer, choices: Choices, random: Any) -> None:
        self.random: Callable[[], float] = random.random
        self.uniform: Callable[[float, float], float] = random.uniform
        self._observer = observer
        self._choices = choices
        self._paces: WeakKeyDictionary[trio.lowlevel.Task, float] = WeakKeyDictionary()
        self._first: int | None = None

    def shuffle(self, batch: list[trio.lowlevel.Task]) -> None:
        """Draw the order of a batch, which trio has sorted, and which it takes from the end."""
        self._observer.turn()
        runs, held = self._choices.arrange(batch, self._pace, _name)
        for task in runs:
            self._choices.note(self._number(task))
        batch[:] = reversed(runs)
        trio_run.GLOBAL_RUN_CONTEXT.runner.runq.extend(held)

    def _pace(self, task: trio.lowlevel.Task) -> float:
        pace = self._paces.get(task)
        if pace is None:
            pace = self._paces[task] = self._choices.new_pace()
        return pace

    def _number(self, task: Any) -> int:
        # trio counts tasks from the beginning of the process.
        if self._first is None:
            self._first = task._counter
        return int(task._counter - self._first)


def _name(task: trio.lowlevel.Task) -> str:
    return task.name
