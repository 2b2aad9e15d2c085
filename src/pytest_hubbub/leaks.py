"""Fails a test that leaves something behind: tasks, threads, descriptors, async generators."""

from __future__ import annotations

import os
import sys
import threading
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

__all__ = ["Resources", "without_leaks"]

# Linux lists the descriptors of a process here, and macOS there.
DESCRIPTORS = next(filter(Path.exists, map(Path, ("/proc/self/fd", "/dev/fd"))), None)
# Threads that anyio, trio and asyncio keep for the next call.
KEPT_THREADS = ("AnyIO worker thread", "Trio thread", "asyncio_")
# A cancelled task may need some turns of the event loop to end.
TURNS_MAX = 20
# How long a thread that is about to end can take, in seconds.
THREAD_SECONDS_MAX = 0.5


def without_leaks(run: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """Fail an async function that leaves tasks or async generators, if nothing else fails it."""

    async def instead() -> None:
        tasks_before = anyio.get_running_tasks()
        with _noted_generators() as generators:
            await run()
            left = await _tasks_left(tasks_before)
        _fail_for([*left, *generators()])

    return instead


class Resources:
    """
    The threads and descriptors of this process, as they were when it was made.

    It is for outside of the event loop, because it reads a directory.
    """

    def __init__(self) -> None:
        self._threads = set(threading.enumerate())
        self._descriptors = _descriptors()

    def check(self) -> None:
        """Fail the test if there are more now."""
        _fail_for(list(self._left()))

    def _left(self) -> Iterator[str]:
        for thread in set(threading.enumerate()) - self._threads:
            if thread.name.startswith(KEPT_THREADS):
                continue
            thread.join(THREAD_SECONDS_MAX)
            if thread.is_alive():
                yield f"the thread {thread.name!r}"
        for number, target in sorted(_descriptors().items()):
            # libuv keeps one open for an event loop that listens, in case there are no more.
            if target == os.devnull and "uvloop" in sys.modules:
                continue
            if self._descriptors.get(number) != target:
                yield f"the descriptor {number}, {target}"


def _fail_for(left: list[str]) -> None:
    if left:
        listed = "\n  ".join(left)
        pytest.fail(f"The test left behind:\n  {listed}", pytrace=False)


def _descriptors() -> dict[int, str]:
    """Return the open descriptors, each with what it leads to."""
    found = {}
    for name in [] if DESCRIPTORS is None else os.listdir(DESCRIPTORS):
        try:
            found[int(name)] = os.readlink(f"{DESCRIPTORS}/{name}")
        except OSError:
            # It was that of the listing, or it leads nowhere that has a name.
            continue
    return found


async def _tasks_left(before: list[anyio.TaskInfo]) -> list[str]:
    known = {(task.id, id(task.coro)) for task in before}
    own = anyio.get_current_task().id
    for _ in range(TURNS_MAX):
        left = [
            task
            for task in anyio.get_running_tasks()
            if task.id != own and (task.id, id(task.coro)) not in known
        ]
        if not left:
            break
        await checkpoint()
    return [f"the task {task.name!r}" for task in left]


@contextmanager
def _noted_generators() -> Iterator[Callable[[], list[str]]]:
    """Note the async generators that begin; give a function that lists the unfinished ones."""
    before = sys.get_asyncgen_hooks()
    begun: list[weakref.ref[Any]] = []
    forgotten: list[str] = []

    def begins(generator: AsyncGenerator[Any, Any]) -> None:
        begun.append(weakref.ref(generator))
        if before.firstiter is not None:
            before.firstiter(generator)

    def is_forgotten(generator: AsyncGenerator[Any, Any]) -> None:
        forgotten.append(_described(generator))
        if before.finalizer is not None:
            before.finalizer(generator)

    def left() -> list[str]:
        alive = [generator for each in begun if (generator := each()) is not None]
        return forgotten + [_described(each) for each in alive if each.ag_frame is not None]

    sys.set_asyncgen_hooks(begins, is_forgotten)
    try:
        yield left
    finally:
        sys.set_asyncgen_hooks(*before)


def _described(generator: Any) -> str:
    code = generator.ag_code
    where = f"{code.co_filename}:{code.co_firstlineno}"
    return f"the async generator {code.co_qualname!r} of {where}, which was not closed"
