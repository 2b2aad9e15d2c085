"""Figures of games in the process: scores, a large board, matches that the hub runs."""

from __future__ import annotations

import gc
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from itertools import cycle
from pathlib import Path
from typing import Any

import anyio

sys.path.insert(0, str(Path(__file__).parents[2]))

import hubbub
from hubbub import FirstTo, Game, Handler, Table
from hubbub.server.run import GC_THRESHOLDS
from tests.bench.floors import Watch
from tests.bench.large_board import BOARD, SCORE_MAX, user_id
from tests.bench.table import Row

__all__ = ["board", "rate_of", "scores", "ticks"]

MATCHES = 1_000
CALLERS = 1_000
# Scores that are drawn before anything is measured, and submitted again and again.
DRAWN = 100_000
LIVE = 200
TICKS_PER_SECOND = 20.0
POINTS = 10**9


async def scores(backend: str, seconds: float, watch: Watch) -> list[Row]:
    """Measure scores in many matches at once, each waiting for its acknowledgement."""
    with tempfile.TemporaryDirectory() as folder:
        store = watch.open(f"{folder}/bench.db")
        async with hubbub.open(store=store) as hub, AsyncExitStack() as stack:
            matches = []
            for number in range(MATCHES):
                one = await stack.enter_async_context(hub.session(f"a{number}"))
                await stack.enter_async_context(hub.session(f"b{number}"))
                players = [f"a{number}", f"b{number}"]
                match = await one.games.start_match(players, rules=FirstTo(POINTS))
                matches.append((one, match.id))

            async def score_on(number: int, until: float) -> int:
                session, match_id = matches[number]
                count = 0
                while time.perf_counter() < until:
                    await session.games.add_score(match_id, 1)
                    count += 1
                return count

            rate = await rate_of(MATCHES, score_on, seconds, watch)
    return [Row(f"add_score over {MATCHES:,} matches, durable", backend, rate, "/s")]


async def board(backend: str, seconds: float, size: int, watch: Watch) -> list[Row]:
    """Measure a board with very many entries, and opening it after a restart."""
    chance, name = random.Random(2), f"a board of {size:,}"
    drawn = cycle([chance.randrange(SCORE_MAX) for _ in range(DRAWN)])
    with tempfile.TemporaryDirectory() as folder:
        store = watch.open(f"{folder}/bench.db")
        async with hubbub.open(store=store) as hub, AsyncExitStack() as stack:
            users = map(user_id, range(0, size, size // CALLERS))
            sessions = [await stack.enter_async_context(hub.session(user)) for user in users]
            await sessions[0].games.board(BOARD)

            async def submit_on(number: int, until: float) -> int:
                count, games = 0, sessions[number].games
                while time.perf_counter() < until:
                    await games.submit(BOARD, next(drawn))
                    count += 1
                return count

            rate = await rate_of(CALLERS, submit_on, seconds, watch)
        script = str(Path(__file__).with_name("open_board.py"))
        command = [sys.executable, script, f"{folder}/bench.db", str(size), backend]
        again = json.loads((await anyio.run_process(command)).stdout)
    return [
        Row(f"{name}: submit", backend, rate, "/s"),
        Row(f"{name}: rank (median)", backend, again["rank"], "µs", 100, most=True),
        Row(f"{name}: around (median)", backend, again["around"], "µs", 100, most=True),
        Row(f"{name}: opening it after a restart", backend, again["opening"], "s", 3, most=True),
        Row(
            f"{name}: memory of that process, at most", backend, again["peak"], "MB", 400, most=True
        ),
    ]


async def ticks(backend: str, seconds: float) -> list[Row]:
    """Measure how late the ticks of many matches come that the hub runs."""
    late: list[float] = []

    class Ticking(Handler):
        async def on_start(self, table: Table) -> None:
            self.start = anyio.current_time()

        async def on_tick(self, table: Table, tick: int) -> None:
            late.append(anyio.current_time() - self.start - tick / TICKS_PER_SECOND)
            table.broadcast({"tick": tick})

    games = {"ticking": Game(handler=Ticking, ticks_per_second=TICKS_PER_SECOND)}
    async with hubbub.open("memory://", games=games) as hub, AsyncExitStack() as stack:
        for number in range(LIVE):
            one = await stack.enter_async_context(hub.session(f"a{number}"))
            await stack.enter_async_context(hub.session(f"b{number}"))
            await one.games.start_match([f"a{number}", f"b{number}"], game="ticking")
            # Players do not all come in the same moment.
            await anyio.sleep(1 / TICKS_PER_SECOND / 20)
        late.clear()
        start = time.perf_counter()
        await anyio.sleep(max(seconds, 3.0))
        rate = len(late) / (time.perf_counter() - start)
    p99 = statistics.quantiles(late, n=100)[98] * 1000
    name = f"{LIVE} matches at {TICKS_PER_SECOND:.0f} ticks a second"
    wanted = LIVE * TICKS_PER_SECOND * 0.99
    return [
        Row(f"{name}: ticks", backend, rate, "/s", wanted),
        Row(f"{name}: how late (p99)", backend, p99, "ms", 25, most=True),
    ]


async def rate_of(
    callers: int,
    work: Callable[[int, float], Coroutine[Any, Any, int]],
    seconds: float,
    watch: Watch | None = None,
) -> float:
    """
    Let callers work at the same time; return the rate of what they did.

    Args:
        callers: how many.
        work: of a caller, until a time; returns how much it did.
        seconds: how long.
        watch: keeps what is committed.
    """
    counts = [0] * callers

    async def run(number: int) -> None:
        counts[number] = await work(number, until)

    # As `hubbub serve` does, and docs/how-to/production.md says.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    if watch is not None:
        watch.begin()
    start = time.perf_counter()
    until = start + seconds
    async with anyio.create_task_group() as tasks:
        for number in range(callers):
            tasks.start_soon(run, number)
    rate = sum(counts) / (time.perf_counter() - start)
    if watch is not None:
        watch.end(sum(counts))
    gc.unfreeze()
    return rate
