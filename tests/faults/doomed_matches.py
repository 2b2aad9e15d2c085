"""
A hub to be killed: it runs many matches, and prints every acknowledged score.

Run as ``python doomed_matches.py PATH BACKEND MATCHES``; a line is "match player points winner".
"""

from __future__ import annotations

import os
import random
import sys
from contextlib import AsyncExitStack
from itertools import cycle, islice
from typing import Literal

import anyio

import hubbub
from hubbub import Conflict, FirstTo, Session
from tests.faults.doomed import announce

PLAYERS = 40
POINTS = 5
NOBODY = "-"


async def run(path: str, matches: int) -> None:
    """Play until killed."""
    async with hubbub.open(path) as hub, AsyncExitStack() as stack:
        sessions = [
            await stack.enter_async_context(hub.session(f"player{number}"))
            for number in range(PLAYERS)
        ]
        pairs = [(one, other) for one in sessions for other in sessions if one is not other]
        begun = Begun(matches)
        async with anyio.create_task_group() as tasks:
            for number, pair in enumerate(islice(cycle(pairs), matches)):
                tasks.start_soon(play, *pair, random.Random(number), begun)


class Begun:
    """Lets nobody score before so many matches have begun."""

    def __init__(self, missing: int) -> None:
        self._missing = missing
        self._all = anyio.Event()

    async def wait(self) -> None:
        self._missing -= 1
        if self._missing <= 0:
            self._all.set()
        await self._all.wait()


async def play(one: Session, other: Session, chance: random.Random, begun: Begun) -> None:
    players = [one.user.id, other.user.id]
    while True:
        match = await one.games.start_match(players, rules=FirstTo(POINTS))
        await begun.wait()
        async with anyio.create_task_group() as tasks:
            for session in (one, other):
                tasks.start_soon(score_until_the_end, session, match.id, chance)


async def score_until_the_end(session: Session, match_id: str, chance: random.Random) -> None:
    while True:
        points = chance.randint(1, 2)
        try:
            match = await session.games.add_score(match_id, points)
        except Conflict:
            return
        announce(match_id, session.user.id, points, match.winner or NOBODY)


if __name__ == "__main__":
    _, path_, backend, matches_ = sys.argv
    uvloop = os.environ.get("HUBBUB_TEST_LOOP") == "uvloop" and backend == "asyncio"
    name: Literal["asyncio", "trio"] = "trio" if backend == "trio" else "asyncio"
    options = {"use_uvloop": True} if uvloop else {}
    anyio.run(run, path_, int(matches_), backend=name, backend_options=options)
