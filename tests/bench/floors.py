"""
The floors of figures: the bare store for commands, a server in C for deliveries.

A figure alone says as much about the machine as about Hubbub. So each case runs in turn with its
floor, which does the least that any program must do for the same work, and the ratio of the two
is what counts.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path

import msgspec
from anyio import to_thread

from hubbub.stores import Batch, SQLiteStore
from tests.bench.table import Row

__all__ = [
    "Watch",
    "built",
    "compared",
    "compared_async",
    "compiled",
    "listening",
    "medians",
    "reference",
]


class Watch:
    """
    Keeps the batches that a case commits, to append them to a bare store later.

    Args:
        prepared: the database that the case and the bare store begin with, each with a copy; by
            default an empty one.
    """

    def __init__(self, prepared: Path | None = None) -> None:
        self.batches: list[Batch] = []
        self._prepared = prepared
        self._began = 0
        self._commands = 0

    def open(self, path: str) -> SQLiteStore:
        """Open the store of a case."""
        watch = self

        class Watched(SQLiteStore):
            def commit(self, batch: Batch) -> None:
                super().commit(batch)
                watch.batches.append(batch)

        self._copy_to(path)
        return Watched(path)

    def begin(self) -> None:
        """Begin to measure."""
        self._began = len(self.batches)

    def end(self, commands: int) -> None:
        """End it; so many commands were acknowledged."""
        self._commands = commands

    def bare(self) -> float:
        """Append the same batches to a new store; return as many commands a second."""
        for batch in self.batches:
            # A board's is encoded when the store reads it.
            batch.snapshots = [
                msgspec.structs.replace(snapshot, parts=tuple(snapshot.parts))
                for snapshot in batch.snapshots
            ]
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/bare.db"
            self._copy_to(path)
            with contextlib.closing(SQLiteStore(path)) as store:
                for batch in self.batches[: self._began]:
                    store.commit(batch)
                start = time.perf_counter()
                for batch in self.batches[self._began :]:
                    store.commit(batch)
                return self._commands / (time.perf_counter() - start)

    def _copy_to(self, path: str) -> None:
        if self._prepared is not None:
            shutil.copyfile(self._prepared, path)


async def compared_async(
    runs: int,
    case: Callable[[Watch], Awaitable[list[Row]]],
    wanted: float,
    prepare: Callable[[], Path] | None = None,
) -> list[Row]:
    """
    Run a case so often, each time with the bare store after it.

    Args:
        runs: how often.
        case: measures with a watch.
        wanted: the lowest acceptable ratio.
        prepare: makes the database that each run begins with; by default an empty one.
    """
    prepared = None if prepare is None else await to_thread.run_sync(prepare)
    rows, floors = list[list[Row]](), list[float]()
    for _ in range(runs):
        watch = Watch(prepared)
        rows.append(await case(watch))
        floors.append(await to_thread.run_sync(watch.bare))
    return _ratios(rows, floors, wanted)


def compared(
    runs: int,
    case: Callable[[], list[Row]],
    floor: Callable[[], float],
    wanted: float,
    others: Mapping[str, Callable[[], float]] = {},
) -> list[Row]:
    """
    Run a case and its floor so often, in turn.

    Args:
        others: other programs for the same work, by name; each has its turn too, and a row in
            which it is the floor.
    """
    rows, floors = list[list[Row]](), list[float]()
    figures: dict[str, list[float]] = {name: [] for name in others}
    for _ in range(runs):
        rows.append(case())
        floors.append(floor())
        for name, other in others.items():
            figures[name].append(other())
    found = _ratios(rows, floors, wanted)
    for name, theirs in figures.items():
        beside = _ratios(rows, theirs, 0)[0]
        found.append(beside._replace(what=f"{beside.what}, beside {name}"))
    return found


def medians(runs: int, case: Callable[[], list[Row]]) -> list[Row]:
    """Run a case so often; return the median of each row."""
    return _medians([case() for _ in range(runs)])


def _medians(rows: list[list[Row]]) -> list[Row]:
    found = []
    for number, row in enumerate(rows[0]):
        values = [one[number].value for one in rows]
        found.append(row._replace(value=statistics.median(values)))
    return found


def _ratios(rows: list[list[Row]], floors: list[float], wanted: float) -> list[Row]:
    """Return the median of each row; the first is compared with the floor."""
    found = _medians(rows)
    ratios = sorted(one[0].value / floor for one, floor in zip(rows, floors, strict=True))
    found[0] = found[0]._replace(floor=statistics.median(floors), ratios=ratios, wanted=wanted)
    return found


def reference(core: int) -> contextlib.AbstractContextManager[tuple[int, int]]:
    """Run the server in C, which writes all that is pending at once; gives port and process."""
    return listening(lambda port: [compiled("cref.c"), str(port), "b"], core)


@contextlib.contextmanager
def listening(command: Callable[[int], list[str]], core: int) -> Iterator[tuple[int, int]]:
    """Run a server on a core, at a port that is given to its command; gives port and process."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with subprocess.Popen(
        command(port),
        stdout=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),  # noqa: PLW1509
    ) as server:
        try:
            _wait_for(port)
            yield port, server.pid
        finally:
            server.kill()


def _wait_for(port: int) -> None:
    ends = time.perf_counter() + 5
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            if time.perf_counter() > ends:
                raise
            time.sleep(0.01)
        else:
            return


def compiled(name: str) -> str:
    """Compile a program in C beside this file."""
    compiler = shutil.which("cc")
    assert compiler is not None, "a C compiler is needed for the load generator"
    return built(name, [compiler, "-O2"])


def built(name: str, compiler: list[str], env: Mapping[str, str] = {}) -> str:
    """Build a program beside this file, once, into the temporary directory; return where it is."""
    program = Path(tempfile.gettempdir()) / f"hubbub-{Path(name).stem}"
    source = Path(__file__).with_name(name)
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        command = [*compiler, "-o", str(program), str(source)]
        subprocess.run(command, check=True, env={**os.environ, **env})
    return str(program)
