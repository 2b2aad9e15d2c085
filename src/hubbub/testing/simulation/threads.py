"""Runs what would run in worker threads in the thread of the event loop, at a drawn moment."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from random import Random
from typing import Any

import anyio
import trio
from anyio import to_thread
from anyio._backends._asyncio import AsyncIOBackend
from anyio._backends._trio import TrioBackend
from trio._core._run import GLOBAL_RUN_CONTEXT

from .fence import current_fence

__all__ = ["event_loop_time", "outside_of_event_loop", "threads_inline"]

# How long the work of a thread takes at most, in virtual seconds.
THREAD_SECONDS_MAX = 1e-3


@contextmanager
def threads_inline(inside: Callable[[], Random | None]) -> Iterator[None]:
    """
    Let ``anyio.to_thread`` and ``trio.to_thread`` do their work in the calling thread.

    The work happens before or after a drawn moment, and happens also when its caller is
    cancelled and abandons it: so do real threads.

    Args:
        inside: returns what draws the moment, or None outside of a simulation, where threads
            stay threads.
    """
    before: Callable[..., Any] = trio.to_thread.run_sync
    patched: Any = trio.to_thread
    undo: list[Callable[[], None]] = [partial(setattr, patched, "run_sync", before)]
    patched.run_sync = _trio_inline(inside, before)
    for backend in (AsyncIOBackend, TrioBackend):
        method = backend.__dict__["run_sync_in_worker_thread"]
        undo.append(partial(setattr, backend, "run_sync_in_worker_thread", method))
        inline = _anyio_inline(inside, method.__func__)
        setattr(backend, "run_sync_in_worker_thread", classmethod(inline))  # noqa: B010  (mypy)
    try:
        yield
    finally:
        for restore in undo:
            restore()


@contextmanager
def outside_of_event_loop() -> Iterator[None]:
    """
    Hide the event loop from what the block calls, as a thread of its own would.

    A tool that looks for blocking calls asks whether an event loop runs.
    """
    loop = asyncio._get_running_loop()
    context = vars(GLOBAL_RUN_CONTEXT)
    trio_run = dict(context)
    asyncio._set_running_loop(None)
    context.clear()
    try:
        yield
    finally:
        asyncio._set_running_loop(loop)
        context.update(trio_run)


def event_loop_time() -> Callable[[], float]:
    """Return what tells the time of the running event loop, in its threads as well."""
    if trio.lowlevel.in_trio_run():
        return trio.lowlevel.current_clock().current_time
    return asyncio.get_running_loop().time


def _anyio_inline(
    inside: Callable[[], Random | None], outside: Callable[..., Any]
) -> Callable[..., Any]:
    async def run_sync(
        backend: Any,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        abandon_on_cancel: bool = False,
        limiter: Any = None,
    ) -> Any:
        random = inside()
        if random is None:
            return await outside(backend, func, args, abandon_on_cancel, limiter)
        limiter = limiter or to_thread.current_default_thread_limiter()
        return await _inline(random, partial(func, *args), abandon_on_cancel, limiter)

    return run_sync


def _trio_inline(
    inside: Callable[[], Random | None], outside: Callable[..., Any]
) -> Callable[..., Any]:
    async def run_sync(
        sync_fn: Callable[..., Any],
        *args: Any,
        thread_name: str | None = None,
        abandon_on_cancel: bool = False,
        limiter: Any = None,
    ) -> Any:
        random = inside()
        if random is None:
            named: dict[str, Any] = {"thread_name": thread_name, "limiter": limiter}
            return await outside(sync_fn, *args, abandon_on_cancel=abandon_on_cancel, **named)
        limiter = limiter or trio.to_thread.current_default_thread_limiter()
        return await _inline(random, partial(sync_fn, *args), abandon_on_cancel, limiter)

    return run_sync


async def _inline(
    random: Random, work: Callable[[], Any], abandon_on_cancel: bool, limiter: Any
) -> Any:
    # Taking a place is a checkpoint.
    async with limiter:
        seconds = random.random() * THREAD_SECONDS_MAX
        outcome = _outcome(work) if random.random() < 0.5 else None
        try:
            with anyio.CancelScope(shield=not abandon_on_cancel):
                await anyio.sleep(seconds)
                await _stand_still()
        finally:
            if outcome is None:
                outcome = _outcome(work)
        return outcome()


async def _stand_still() -> None:
    fence = current_fence.get()
    while fence is not None and not fence.is_down:
        if (seconds := fence.still_until - anyio.current_time()) <= 0:
            return
        # In short steps, because a crash ends it.
        await anyio.sleep(min(1.0, seconds))


def _outcome(work: Callable[[], Any]) -> Callable[[], Any]:
    """Do some work; return what returns its result or raises its error."""
    try:
        with outside_of_event_loop():
            result = contextvars.copy_context().run(work)
    except BaseException as raised:
        # As of a thread, the error belongs to the task that waits, whatever it is.
        return partial(_reraise, raised)
    return lambda: result


def _reraise(error: BaseException) -> Any:
    raise error
