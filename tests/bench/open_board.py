"""
Open a large board in a process of its own, as after a restart, and ask it.

Run as ``python open_board.py PATH SIZE BACKEND``; prints one JSON object.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import anyio

sys.path.insert(0, str(Path(__file__).parents[2]))

import hubbub
from tests.bench.large_board import BOARD, user_id

__all__ = ["games_of"]

QUESTIONS = 2_000


def games_of(hub: hubbub.Hubbub, user: int) -> Any:
    """Return the games of a user who has not signed in."""
    return hub.session_of(hub.actor(user_id(user), "user")).games


async def measure(path: str, size: int) -> dict[str, float]:
    """Measure opening, ranks and neighbours."""
    chance = random.Random(1)
    start = time.perf_counter()
    async with hubbub.open(path) as hub:
        await games_of(hub, 1).rank(BOARD)
        opening = time.perf_counter() - start
        asked = [games_of(hub, chance.randrange(size)) for _ in range(QUESTIONS)]
        rank = await _median(asked, lambda games: games.rank(BOARD))
        around = await _median(asked, lambda games: games.around(BOARD))
    return {"opening": opening, "rank": rank, "around": around, "peak": _resident_peak()}


async def _median(asked: list[Any], ask: Callable[[Any], Coroutine[Any, Any, object]]) -> float:
    times = []
    for games in asked:
        start = time.perf_counter()
        await ask(games)
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e6


def _resident_peak() -> float:
    with open("/proc/self/status", encoding="ascii") as status:
        [line] = [line for line in status if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    _, path_, size_, backend_ = sys.argv
    print(json.dumps(anyio.run(measure, path_, int(size_), backend=backend_)))
