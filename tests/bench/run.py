"""
Measure, and print a table: ``nox -s bench``.

    nox -s bench -- [--seconds 3] [--messages 1000000] [--entries 1000000]
                    [--products 100000]
                    [--runs 5] [--only A,senders] [--backend trio] [--plots FOLDER]
                    [--markdown] [--json FOLDER]

A, B, C, E and rivals also run in turn with other people's servers, where those are installed;
rivals.py and centrifuge.go say how. A line names each server that is left out.
"""

from __future__ import annotations

import argparse
import resource
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import anyio

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench import (
    cluster,
    games,
    growth,
    in_process,
    passwords,
    planned,
    processor,
    rivals,
    scale,
    sealed,
    shop,
    wire,
)
from tests.bench.floors import Watch, compared, compared_async, medians
from tests.bench.large_board import large_board
from tests.bench.pythons import save
from tests.bench.table import Row, markdown, show

OPEN_FILES = 20_000


def main() -> None:
    """Run the requested benchmarks, on each backend."""
    parser = argparse.ArgumentParser(description="Measure hubbub.")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each case runs")
    parser.add_argument("--runs", type=int, default=5, help="of each case, with its floor in turn")
    parser.add_argument("--messages", type=int, default=1_000_000, help="in the long room")
    parser.add_argument("--entries", type=int, default=1_000_000, help="on the large board")
    parser.add_argument("--products", type=int, default=100_000, help="in the large catalogue")
    parser.add_argument("--only", default="", help="cases, separated by commas")
    parser.add_argument("--plots", type=Path, default=Path("build/plots"), help="where to draw")
    parser.add_argument("--backend", choices=["asyncio", "trio"], default=None)
    parser.add_argument("--markdown", action="store_true", help="print a table for a page, too")
    parser.add_argument("--json", type=Path, help="where to write the rows, for pythons.py")
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(OPEN_FILES, most), most))
    rows: list[Row] = []
    for backend in [options.backend] if options.backend else ["asyncio", "trio"]:
        cases = {**_compared(backend, options), **_alone(backend, options)}
        cases |= _growing(backend, options.seconds, options.plots)
        wanted = options.only.split(",") if options.only else list(cases)
        for case in wanted:
            print(f"{backend}: {case} …", flush=True)
            rows += cases[case]()
    show(rows)
    if options.markdown:
        print(f"\n{markdown(rows)}")
    if options.json:
        save(rows, options.json)


Cases = dict[str, Callable[[], list[Row]]]


def _compared(backend: str, options: argparse.Namespace) -> Cases:
    """Return the cases that have a floor."""
    seconds, runs = options.seconds, options.runs
    stored: dict[str, tuple[Callable[[Watch], Awaitable[list[Row]]], dict[str, float]]] = {
        "senders": (partial(_senders, backend, seconds), {"asyncio": 0.5, "trio": 0.35}),
        "scores": (partial(games.scores, backend, seconds), {"asyncio": 0.35, "trio": 0.25}),
        "carts": (partial(shop.carts, backend, seconds), {"asyncio": 0.35, "trio": 0.25}),
        "checkouts": (partial(shop.checkouts, backend, seconds), {"asyncio": 0.15, "trio": 0.1}),
    }
    cases: Cases = {
        name: partial(anyio.run, compared_async, runs, case, wanted[backend], backend=backend)
        for name, (case, wanted) in stored.items()
    }
    submit = partial(games.board, backend, seconds, options.entries)
    limit, prepare = {"asyncio": 0.25, "trio": 0.2}[backend], partial(large_board, options.entries)
    cases["board"] = partial(
        anyio.run, compared_async, runs, submit, limit, prepare, backend=backend
    )
    for name in wire.FAN_OUT:
        cases[name] = partial(rivals.fan_out, name, backend, runs, seconds)
        measure = partial(wire.measure, name, backend, seconds, on_disk=True)
        floor = partial(wire.in_c, name, seconds)
        cases[f"{name}-disk"] = partial(compared, runs, measure, floor, 0)
    in_hub = partial(_in_process, backend, seconds)
    measure = partial(wire.measure, "durable", backend, seconds)
    wanted_durable = {"asyncio": 0.7, "trio": 0.5}[backend]
    cases["durable"] = partial(compared, runs, measure, in_hub, wanted_durable)
    cases["rivals"] = partial(rivals.resumes, backend, runs, seconds)
    return cases


async def _senders(backend: str, seconds: float, watch: Watch) -> list[Row]:
    return await in_process.senders(backend, seconds, watch=watch)


def _in_process(backend: str, seconds: float) -> float:
    """Return the rate of as many callers without a network."""
    count = wire.DURABLE_SOCKETS
    work = partial(in_process.senders, backend, seconds, count=count)
    [row] = anyio.run(work, backend=backend)
    return row.value


def _alone(backend: str, options: argparse.Namespace) -> Cases:
    """Return the cases whose figures are compared with nothing."""
    seconds = options.seconds
    here: dict[str, Callable[[], Awaitable[list[Row]]]] = {
        "fed": partial(in_process.fed, backend, seconds),
        "latency": partial(in_process.latency, backend, seconds),
        "history": partial(in_process.history, backend, options.messages),
        "followers": partial(in_process.followers, backend),
        "ticks": partial(games.ticks, backend, seconds),
        "catalogue": partial(shop.catalogue, backend, options.products),
        "sealed": partial(sealed.sealed, backend),
        "sharing": partial(sealed.sharing, backend),
    }
    cases: Cases = {name: partial(anyio.run, work, backend=backend) for name, work in here.items()}
    for case in ("idle", "resume"):
        measure = partial(wire.measure, case, backend, seconds)
        cases[case] = partial(medians, options.runs, measure)
    cases["cluster"] = partial(cluster.spread, backend, seconds)
    cases["cluster-room"] = partial(cluster.one_room, backend, seconds)
    cases["crossing"] = partial(cluster.crossing, backend, seconds)
    cases["page"] = partial(_in_browser, "page", backend)
    cases["scrolling"] = partial(_in_browser, "scrolling", backend)
    cases["stored"] = partial(planned.stored, backend)
    cases["delivered"] = partial(planned.delivered, backend)
    cases["processor"] = partial(processor.processor, backend, seconds)
    cases["passwords"] = partial(passwords.passwords, backend, seconds)
    return cases


def _in_browser(case: str, backend: str) -> list[Row]:
    from tests.bench import page  # noqa: PLC0415  # the environments of other Pythons lack it

    return {"page": page.first_visit, "scrolling": page.scrolling}[case](backend)


def _growing(backend: str, seconds: float, plots: Path) -> Cases:
    """Return the cases that measure how costs grow."""
    here: dict[str, Callable[[], Awaitable[list[Row]]]] = {
        "growth": partial(growth.growth, backend, seconds, plots),
        "reactions": partial(scale.reactions, backend),
        "keys": partial(scale.keys, backend),
        "limits": partial(scale.new_limits, backend),
        "cold-rooms": partial(scale.cold_rooms, backend),
        "snapshots": partial(scale.snapshots, backend),
    }
    return {name: partial(anyio.run, work, backend=backend) for name, work in here.items()}


if __name__ == "__main__":
    main()
