"""Many users at once, and how long each of their operations took."""

from __future__ import annotations

import math
import sys
import time
from array import array
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TypeAlias

import anyio
import msgspec

from .simulation.run import in_simulation

__all__ = ["Latencies", "LoadResult", "Stopwatch", "load"]

# Between two rounds of a user that take no time, so that virtual time passes as well.
PAUSE_SECONDS = 0.001
PROGRESS_SECONDS = 0.2
BAR_CHARS = 30
# The name of what fails outside of a timed block.
OUTSIDE = "(not timed)"

Stopwatch: TypeAlias = Callable[[str], AbstractContextManager[None]]


class Latencies(msgspec.Struct, frozen=True):
    """
    How long one operation took, in seconds, where it succeeded.

    Args:
        operation: its name.
        count: how often it succeeded.
        errors: how often it failed, by the class of the error.
        p50, p95, p99: so many of a hundred took no longer; NaN if none has succeeded.
        max: the longest.
    """

    operation: str
    count: int
    errors: Mapping[str, int]
    p50: float
    p95: float
    p99: float
    max: float


class LoadResult(msgspec.Struct, frozen=True):
    """
    The operations of all users; ``str`` of it is a table.

    Args:
        users: how many there were.
        seconds: how long they took together.
        operations: each operation, in the order of their names.
    """

    users: int
    seconds: float
    operations: tuple[Latencies, ...]

    @property
    def errors(self) -> int:
        """The number of errors of all operations."""
        return sum(sum(each.errors.values()) for each in self.operations)

    def __str__(self) -> str:
        head = ("operation", "count", "p50", "p95", "p99", "max", "errors")
        rows = [head, *map(_cells, self.operations)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
        lines = [f"{self.users:,} users in {self.seconds:.1f} s"]
        for row in rows:
            # Numbers stand below one another by their last digit.
            numbers = [row[column].rjust(widths[column]) for column in range(1, len(head) - 1)]
            lines.append("  ".join([row[0].ljust(widths[0]), *numbers, row[-1]]).rstrip())
        return "\n".join(lines)


async def load(
    n: int,
    behaviour: Callable[[int, Stopwatch], Awaitable[object]],
    *,
    ramp: float = 0.0,
    duration: float | None = None,
) -> LoadResult:
    """
    Let users do something at the same time, and measure how long it takes.

    It works in real time and in virtual time. On a terminal it shows its progress. An error
    of a behaviour is counted and does not end the others.

    Args:
        n: the number of users.
        behaviour: what each does, called with their number, from 0, and with ``timed``:
            ``with timed("send"): ...`` measures an operation by its name.
        ramp: the seconds in which they begin, evenly one after another.
        duration: the seconds for which each begins again whenever they are done; then all are
            cancelled. None: each does it once.
    """
    run = _Run(n, duration)
    async with anyio.create_task_group() as tasks:
        if run.is_shown():
            tasks.start_soon(run.show)
        with anyio.move_on_after(math.inf if duration is None else duration):
            async with anyio.create_task_group() as users:
                for number in range(n):
                    users.start_soon(run.user, number, ramp * number / n, behaviour)
        tasks.cancel_scope.cancel()
    return run.result()


class _Run:
    def __init__(self, users: int, duration: float | None) -> None:
        self._users = users
        self._duration = duration
        self._begun = anyio.current_time()
        self._done = 0
        self._seconds: dict[str, array[float]] = {}
        self._errors: dict[str, Counter[str]] = {}

    async def user(
        self, number: int, delay: float, behaviour: Callable[[int, Stopwatch], Awaitable[object]]
    ) -> None:
        """Be one user."""
        await anyio.sleep(delay)
        await self._round(number, behaviour)
        while self._duration is not None:
            begun = anyio.current_time()
            await self._round(number, behaviour)
            took = anyio.current_time() - begun
            await anyio.sleep(max(0.0, PAUSE_SECONDS - took))
        self._done += 1

    async def _round(
        self, number: int, behaviour: Callable[[int, Stopwatch], Awaitable[object]]
    ) -> None:
        counted: list[Exception] = []

        @contextmanager
        def timed(operation: str) -> Iterator[None]:
            begun = anyio.current_time()
            try:
                yield
            except Exception as error:
                counted.append(error)
                self._count(operation, error)
                raise
            took = anyio.current_time() - begun
            self._seconds.setdefault(operation, array("d")).append(took)

        try:
            await behaviour(number, timed)
        except Exception as error:
            if not any(error is each for each in counted):
                self._count(OUTSIDE, error)

    def _count(self, operation: str, error: Exception) -> None:
        self._errors.setdefault(operation, Counter())[type(error).__name__] += 1

    def is_shown(self) -> bool:
        """Return whether anybody would see the progress."""
        # In a simulation, a task more or less is another order of the tasks.
        return not in_simulation() and sys.stderr.isatty()

    async def show(self) -> None:
        """Write the progress to the terminal until it is cancelled."""
        last = 0.0
        try:
            while True:
                # In virtual time it comes here far more often.
                if time.perf_counter() - last >= PROGRESS_SECONDS:
                    last = time.perf_counter()
                    sys.stderr.write(f"\r{self.progress()}")
                    sys.stderr.flush()
                await anyio.sleep(PROGRESS_SECONDS)
        finally:
            sys.stderr.write(f"\r{self.progress()}\n")
            sys.stderr.flush()

    def progress(self) -> str:
        """Return a line that says how far they are."""
        passed = anyio.current_time() - self._begun
        whole = self._done / self._users if self._duration is None else passed / self._duration
        filled = round(min(whole, 1.0) * BAR_CHARS)
        count = sum(map(len, self._seconds.values()))
        errors = sum(each.total() for each in self._errors.values())
        bar = "#" * filled + "." * (BAR_CHARS - filled)
        return f"[{bar}] {passed:.1f} s, {count:,} operations, {errors:,} errors"

    def result(self) -> LoadResult:
        """Return what was measured."""
        names = sorted(self._seconds.keys() | self._errors.keys())
        operations = tuple(
            _latencies(name, sorted(self._seconds.get(name, ())), self._errors.get(name, {}))
            for name in names
        )
        return LoadResult(self._users, anyio.current_time() - self._begun, operations)


def _latencies(operation: str, seconds: list[float], errors: Mapping[str, int]) -> Latencies:
    p50, p95, p99 = (_percentile(seconds, share) for share in (0.50, 0.95, 0.99))
    longest = seconds[-1] if seconds else math.nan
    return Latencies(operation, len(seconds), dict(errors), p50, p95, p99, longest)


def _percentile(ordered: list[float], share: float) -> float:
    """Return the nearest rank: the least value that so large a share does not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def _cells(of: Latencies) -> tuple[str, ...]:
    errors = ", ".join(f"{count:,} {name}" for name, count in sorted(of.errors.items()))
    times = (_milliseconds(each) for each in (of.p50, of.p95, of.p99, of.max))
    return (of.operation, f"{of.count:,}", *times, errors)


def _milliseconds(seconds: float) -> str:
    return "" if math.isnan(seconds) else f"{seconds * 1000:,.1f} ms"
