"""Counts what a process holds: Hubbub's objects and their contents, tasks, threads and files."""

from __future__ import annotations

import gc
import os
import threading
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import anyio
import msgspec

__all__ = ["Census", "take_census"]

MEBIBYTE = 1024 * 1024
CONTAINERS = (dict, list, set, deque)


class Census(msgspec.Struct, frozen=True):
    """
    The holdings of a process at one moment.

    Args:
        tasks: the names of running tasks -> how many.
        threads: the number of threads.
        files: the open files and sockets -> how many; a socket has no name.
        objects: a class of Hubbub -> the number of its objects.
        items: a container of such a class, as ``Class.attribute`` -> the items in all of them.
        memory: resident memory, in MiB.
    """

    tasks: Mapping[str, int]
    threads: int
    files: Mapping[str, int]
    objects: Mapping[str, int]
    items: Mapping[str, int]
    memory: float


def take_census() -> Census:
    """Count everything in this process; call it in the event loop."""
    gc.collect()
    objects, items = Counter[str](), Counter[str]()
    for found in gc.get_objects():
        kind = type(found)
        if str(kind.__module__).partition(".")[0] == "hubbub":
            objects[kind.__qualname__] += 1
            for name, value in attributes_of(found):
                if isinstance(value, CONTAINERS):
                    items[f"{kind.__qualname__}.{name}"] += len(value)
    tasks = Counter(task.name or "" for task in anyio.get_running_tasks())
    return Census(tasks, threading.active_count(), open_files(), objects, items, resident())


def attributes_of(found: object) -> Iterator[tuple[str, Any]]:
    yield from getattr(found, "__dict__", {}).items()
    for kind in type(found).__mro__:
        slots = vars(kind).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(found, name) and name not in ("__dict__", "__weakref__"):
                yield name, getattr(found, name)


def open_files() -> Mapping[str, int]:
    files = Counter[str]()
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            files[os.readlink(descriptor).partition(":")[0]] += 1
        except FileNotFoundError:
            # It was that of the directory itself.
            continue
    # uvloop keeps one for the processes that the test starts.
    del files[os.devnull]
    return files


def resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MEBIBYTE
