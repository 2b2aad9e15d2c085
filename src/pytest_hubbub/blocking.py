"""
Fails a test in which a task keeps the event loop from running the others.

It times each step of a task, from where the task continues to where it waits again: on trio with an
instrument, on asyncio around the handles that its event loop runs. A thread looks where a step
stands that has taken too long. It cannot time uvloop, and warns there.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import warnings
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from types import FrameType
from typing import Any

import anyio
import pytest
import trio
from anyio.lowlevel import checkpoint

from hubbub.testing.simulation.waiting import MACHINERY

__all__ = ["nonblocking"]

# How many of a task's frames a failure shows.
FRAMES_MAX = 5


def nonblocking(
    seconds: float, test: Callable[..., Awaitable[object]]
) -> Callable[..., Awaitable[object]]:
    """
    Fail an async function in which a step takes too long.

    Args:
        seconds: the longest step, in real time.
        test: the function.
    """

    @wraps(test)
    async def instead(**arguments: object) -> None:
        steps = _Steps(seconds, str(anyio.get_current_task().name))
        with _timed(steps):
            # The step that is running has begun untimed.
            await checkpoint()
            await test(**arguments)
            steps.end()
        if steps.blocked:
            pytest.fail("\n".join(steps.blocked), pytrace=False)

    return instead


class _Steps(trio.abc.Instrument):
    """Times the steps of the tasks of one thread, in which the task ``own`` runs the test."""

    def __init__(self, seconds: float, own: str) -> None:
        self.blocked: list[str] = []
        self._own = own
        self._seconds = seconds
        self._thread = threading.get_ident()
        # The running step: its number, its name, and when it began.
        self._step: tuple[int, str, float] | None = None
        self._number = 0
        self._places: tuple[int, list[str]] = (0, [])
        self._done = threading.Event()

    def begin(self, name: str) -> None:
        """Take note that a step of a task begins."""
        self._number += 1
        self._step = (self._number, name, time.perf_counter())

    def end(self) -> None:
        """Take note that the step has ended."""
        if self._step is None:
            return
        number, name, begun = self._step
        self._step = None
        took = time.perf_counter() - begun
        if took <= self._seconds:
            return
        seen, places = self._places
        who = "The test" if name == self._own else f"The task {name!r}"
        listed = "\n  ".join(places if seen == number else ["a place that was left too soon"])
        self.blocked.append(
            f"{who} kept the event loop for {took:.3f} s, and {self._seconds:g} s are allowed. "
            f"It stood here:\n  {listed}"
        )

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """Begin a step; trio calls it."""
        self.begin(task.name)

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        """End a step; trio calls it."""
        self.end()

    def look(self) -> None:
        """Look in a thread of its own, again and again, where a step stands that takes long."""
        while not self._done.wait(self._seconds / 4):
            step = self._step
            if step is None or self._places[0] == step[0]:
                continue
            if time.perf_counter() - step[2] > self._seconds:
                places = _places(sys._current_frames().get(self._thread))
                if self._step is step:
                    self._places = (step[0], places)

    def stop(self) -> None:
        """Let the thread end."""
        self._done.set()


@contextmanager
def _timed(steps: _Steps) -> Iterator[None]:
    looking = threading.Thread(target=steps.look, name="looks for what blocks", daemon=True)
    looking.start()
    try:
        with _timed_on_trio(steps) if trio.lowlevel.in_trio_run() else _timed_on_asyncio(steps):
            yield
    finally:
        steps.stop()
        looking.join()


@contextmanager
def _timed_on_trio(steps: _Steps) -> Iterator[None]:
    trio.lowlevel.add_instrument(steps)
    try:
        yield
    finally:
        trio.lowlevel.remove_instrument(steps)


@contextmanager
def _timed_on_asyncio(steps: _Steps) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    if not isinstance(loop, asyncio.BaseEventLoop):
        kind = f"{type(loop).__module__}.{type(loop).__qualname__}"
        warnings.warn(
            pytest.PytestWarning(f"The mark nonblocking cannot watch {kind}."), stacklevel=1
        )
    run, thread = asyncio.Handle._run, threading.get_ident()

    def timed(handle: Any) -> None:
        if threading.get_ident() != thread:
            run(handle)
            return
        steps.begin(_name_of(handle))
        try:
            run(handle)
        finally:
            steps.end()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio.Handle, "_run", timed)
        yield


def _name_of(handle: Any) -> str:
    callback = handle._callback
    task = getattr(callback, "__self__", None)
    if isinstance(task, asyncio.Task):
        return task.get_name()
    return str(getattr(callback, "__qualname__", callback))


def _places(frame: FrameType | None) -> list[str]:
    """List where a thread stands, the innermost frame first."""
    places: list[str] = []
    while frame is not None and len(places) < FRAMES_MAX:
        code = frame.f_code
        # Frames of an event loop only lead to the code that blocks.
        if places and code.co_filename.startswith((*MACHINERY, __file__)):
            break
        places.append(f"{code.co_filename}:{frame.f_lineno} {code.co_qualname}")
        frame = frame.f_back
    return places
