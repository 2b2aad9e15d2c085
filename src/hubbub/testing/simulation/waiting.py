"""Says where every task of an event loop waits."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import anyio
import trio

__all__ = ["MACHINERY", "waiting_places"]

# Frames that say in what a task waits, rather than where: those of event loops, and this package.
MACHINERY = tuple(str(Path(str(package.__file__)).parent) for package in (anyio, asyncio, trio))
HERE = str(Path(__file__).parent)


def waiting_places() -> list[str]:
    """
    List the tasks of the running event loop, with the place where each waits.

    Returns:
        A line for each task: its name, the file, the line and the function of its code, and
        what it calls there.

    Raises:
        RuntimeError: no event loop is running.
    """
    return sorted(_place(name, coroutine) for name, coroutine in _tasks())


def _tasks() -> Iterator[tuple[str, Any]]:
    if trio.lowlevel.in_trio_run():
        root = trio.lowlevel.current_root_task()
        left = [] if root is None else [root]
        while left:
            task = left.pop()
            left += [child for nursery in task.child_nurseries for child in nursery.child_tasks]
            # Tasks above the main task, and beside it, are trio's own.
            if task.parent_nursery is not None and not _is_system(task):
                yield task.name, task.coro
        return
    for task_ in asyncio.all_tasks(asyncio.get_running_loop()):
        yield task_.get_name(), task_.get_coro()


def _is_system(task: trio.lowlevel.Task) -> bool:
    code = getattr(task.coro, "cr_code", None)
    return code is not None and code.co_filename.startswith(MACHINERY[2])


def _place(name: str, coroutine: Any) -> str:
    frames = list(_frames(coroutine))
    if not frames:
        return f"{name}: has not begun"
    own = [at for at, frame in enumerate(frames) if not _is_machinery(frame)]
    last = own[-1] if own else len(frames) - 1
    at = frames[last]
    called = f", in {frames[last + 1].f_code.co_qualname}" if last + 1 < len(frames) else ""
    where = f"{at.f_code.co_filename}:{at.f_lineno} {at.f_code.co_qualname}"
    return f"{name}: {where}{called}"


def _is_machinery(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith((*MACHINERY, HERE))


def _frames(awaited: Any) -> Iterator[FrameType]:
    """Yield the frames of a suspended coroutine, the outermost first."""
    while awaited is not None:
        kind = type(awaited).__name__
        if kind in ("async_generator_asend", "async_generator_athrow"):
            generators = [each for each in gc.get_referents(awaited) if hasattr(each, "ag_frame")]
            awaited = generators[0] if generators else None
            continue
        if kind == "coroutine_wrapper":
            awaited = next(iter(gc.get_referents(awaited)), None)
            continue
        for prefix, inner in (("cr", "cr_await"), ("gi", "gi_yieldfrom"), ("ag", "ag_await")):
            frame = getattr(awaited, f"{prefix}_frame", None)
            if frame is not None:
                yield frame
                awaited = getattr(awaited, inner)
                break
        else:
            return
