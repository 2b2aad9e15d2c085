"""
Measure, and print a table: ``nox -s bench``.

    nox -s bench -- [--seconds 3] [--messages 1000000] [--entries 1000000]
                    [--products 100000]
                    [--only A,senders] [--backend trio]
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
    in_process,
    page,
    passwords,
    planned,
    processor,
    sealed,
    shop,
    wire,
)
from tests.bench.table import Row, show

OPEN_FILES = 20_000


def main() -> None:
    """Run the requested benchmarks, on each backend."""
    parser = argparse.ArgumentParser(description="Measure hubbub.")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each case runs")
    parser.add_argument("--messages", type=int, default=1_000_000, help="in the long room")
    parser.add_argument("--entries", type=int, default=1_000_000, help="on the large board")
    parser.add_argument("--products", type=int, default=100_000, help="in the large catalogue")
    parser.add_argument("--only", default="", help="cases, separated by commas")
    parser.add_argument("--backend", choices=["asyncio", "trio"], default=None)
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(OPEN_FILES, most), most))
    rows: list[Row] = []
    for backend in [options.backend] if options.backend else ["asyncio", "trio"]:
        cases = _cases(
            backend, options.seconds, options.messages, options.entries, options.products
        )
        wanted = options.only.split(",") if options.only else list(cases)
        for case in wanted:
            print(f"{backend}: {case} …", flush=True)
            rows += cases[case]()
    show(rows)


def _cases(
    backend: str, seconds: float, messages: int, entries: int, products: int
) -> dict[str, Callable[[], list[Row]]]:
    here: dict[str, Callable[[], Awaitable[list[Row]]]] = {
        "senders": partial(in_process.senders, backend, seconds),
        "fed": partial(in_process.fed, backend, seconds),
        "latency": partial(in_process.latency, backend, seconds),
        "history": partial(in_process.history, backend, messages),
        "followers": partial(in_process.followers, backend),
        "scores": partial(games.scores, backend, seconds),
        "board": partial(games.board, backend, seconds, entries),
        "ticks": partial(games.ticks, backend, seconds),
        "carts": partial(shop.carts, backend, seconds),
        "checkouts": partial(shop.checkouts, backend, seconds),
        "catalogue": partial(shop.catalogue, backend, products),
        "sealed": partial(sealed.sealed, backend),
        "sharing": partial(sealed.sharing, backend),
    }
    cases: dict[str, Callable[[], list[Row]]] = {
        name: partial(anyio.run, work, backend=backend) for name, work in here.items()
    }
    for case in wire.CASES:
        cases[case] = partial(wire.measure, case, backend, seconds)
    cases["cluster"] = partial(cluster.spread, backend, seconds)
    cases["cluster-room"] = partial(cluster.one_room, backend, seconds)
    cases["crossing"] = partial(cluster.crossing, backend, seconds)
    cases["page"] = partial(page.first_visit, backend)
    cases["scrolling"] = partial(page.scrolling, backend)
    cases["stored"] = partial(planned.stored, backend)
    cases["delivered"] = partial(planned.delivered, backend)
    cases["processor"] = partial(processor.processor, backend, seconds)
    cases["passwords"] = partial(passwords.passwords, backend, seconds)
    return cases


if __name__ == "__main__":
    main()
