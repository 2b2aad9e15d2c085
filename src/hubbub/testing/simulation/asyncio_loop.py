"""
An asyncio event loop in virtual time, whose order of ready tasks is drawn.

The promises of asyncio stay: plain callbacks run in the order in which they were scheduled, and so
do the steps of one task. The rest is drawn: which of the tasks that are ready runs next. Tasks are
numbered as they are made, so no choice depends on an address in memory.
"""

from __future__ import annotations

import asyncio
import selectors
import threading
from asyncio import Handle
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from contextvars import Context
from typing import Any, TypeVar, TypeVarTuple

from .choices import Choices, Observer

__all__ = ["SimulatedLoop"]

# asyncio fires timers that are due within this resolution; its nanosecond would be lost in the
# float of a hundred days.
RESOLUTION = 1e-6
# How many turns fit into one instant. Real time passes by itself: code that sets a timer which a
# rounding error makes due at once, until enough time has passed, would otherwise never end.
TURNS_AT_ONCE_MAX = 1_000

T = TypeVar("T")
Args = TypeVarTuple("Args")


class SimulatedLoop(asyncio.SelectorEventLoop):
    """
    An event loop in virtual time, which begins at 0.

    Args:
        observer: has the choices, or None to keep asyncio's own order; the loop notifies it.
    """

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._now = 0.0
        self._turns_at_once = 0
        self._tasks_made = 0
        super().__init__(_Selector(self))
        self._ready = _Ready(observer)
        self._clock_resolution = RESOLUTION
        self._thread = threading.get_ident()
        factory: Any = self._new_task
        self.set_task_factory(factory)

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._now

    def jump(self) -> None:
        """Let the time be that of the first timer."""
        # asyncio has taken the cancelled timers off the head.
        timers: Any = self
        self._now = max(self._now, timers._scheduled[0].when())
        self._turns_at_once = 0

    def begin_turn(self, *, dead: bool) -> None:
        """Take note that the loop looks for what is ready."""
        self._observer.after_step()
        if dead:
            self._observer.dead()
        self._turns_at_once += 1
        if self._turns_at_once > TURNS_AT_ONCE_MAX:
            self._now += RESOLUTION
            self._turns_at_once = 0
        self._observer.turn()
        self._ready.begin()

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Args], T], *args: *Args
    ) -> asyncio.Future[T]:
        """Run in this thread, in a moment, what would run in a thread of its own."""
        future: asyncio.Future[T] = self.create_future()

        def run() -> None:
            if future.cancelled():
                return
            try:
                future.set_result(func(*args))
            except Exception as error:
                future.set_exception(error)

        self.call_later(RESOLUTION, run)
        return future

    def call_soon_threadsafe(
        self,
        callback: Callable[[*Args], object],
        *args: *Args,
        context: Context | None = None,
    ) -> Handle:
        """Schedule a callback; from another thread it would come at no time that a seed knows."""
        if threading.get_ident() != self._thread:
            raise RuntimeError(
                "A thread outside of the simulation calls into it. Start threads with "
                "anyio.to_thread.run_sync: the simulation runs their work itself."
            )
        return super().call_soon_threadsafe(callback, *args, context=context)

    def _new_task(
        self, loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **options: Any
    ) -> asyncio.Task[Any]:
        task = _Task(coroutine, loop=loop, **options)
        self._tasks_made += 1
        task.number = self._tasks_made
        if self._observer.choices is not None:
            task.pace = self._observer.choices.new_pace()
        return task


class _Task(asyncio.Task[Any]):
    number = 0
    pace = 0.0


class _Selector(selectors.DefaultSelector):
    """Waits for nothing: when nothing is ready, it is later at once."""

    def __init__(self, loop: SimulatedLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        # The loop itself wakes up through a socket, for signals.
        found = super().select(0)
        if timeout and not found:
            self._loop.jump()
        self._loop.begin_turn(dead=timeout is None and not found)
        return found


class _Nothing:
    """Stands in the place of a handle that is held back: the loop skips it."""

    _cancelled = True


_NOTHING: Any = _Nothing()


class _Ready(deque[Handle]):
    """The loop's queue of what is ready; in each turn, its order is drawn."""

    def __init__(self, observer: Observer) -> None:
        super().__init__()
        self._observer = observer
        self._choices = observer.choices
        # True until the first handle of a turn is taken.
        self._fresh = False
        # How many handles that are held back the loop still expects in this turn.
        self._gaps = 0
        self._left = 0

    def begin(self) -> None:
        """Take note that a turn begins: the loop takes what is ready now, and no more."""
        self._fresh = True

    def popleft(self) -> Handle:
        """Take the next handle of this turn."""
        if self._fresh:
            self._fresh = False
            self._left = len(self)
            self._gaps = 0
            if self._choices is not None and self._left > 1:
                self._arrange(self._choices)
        else:
            self._observer.after_step()
        if self._left == 0:
            self._gaps -= 1
            nothing: Handle = _NOTHING
            return nothing
        self._left -= 1
        handle = super().popleft()
        if self._choices is not None:
            self._choices.note(_owner_of(handle).number)
        return handle

    def _arrange(self, choices: Choices) -> None:
        queues: dict[int, tuple[_Task, deque[Handle]]] = {}
        slots: list[_Task] = []
        for handle in self:
            task = _owner_of(handle)
            queues.setdefault(task.number, (task, deque()))[1].append(handle)
            slots.append(task)
        if len(queues) == 1:
            return
        slots.sort(key=_number)
        runs, held = choices.arrange(slots, _pace, _name)
        # The steps of a task stay in order: once it is held back, it is for this turn.
        behind = {task.number for task in held}
        order = [task for task in runs if task.number not in behind]
        later = [task for task in slots if task.number in behind]
        if not order:
            order, later = later, []
        self.clear()
        self.extend(queues[task.number][1].popleft() for task in (*order, *later))
        self._left, self._gaps = len(order), len(later)


# All plain callbacks together have one queue.
_CALLBACKS: Any = type("_Callbacks", (), {"number": 0, "pace": 0.0, "get_name": lambda _: "loop"})()


def _owner_of(handle: Any) -> _Task:
    owner = getattr(handle._callback, "__self__", None)
    return owner if isinstance(owner, _Task) else _CALLBACKS


def _number(task: _Task) -> int:
    return task.number


def _pace(task: _Task) -> float:
    return task.pace


def _name(task: _Task) -> str:
    return task.get_name()
