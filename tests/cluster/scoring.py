"""Pairs of users who play matches to their end, each by a node of their own."""

from __future__ import annotations

from collections import Counter
from functools import partial
from itertools import count

import anyio

import hubbub
from hubbub.errors import Conflict
from hubbub.games.events import Completed, Forfeited, MatchCancelled, Scored
from tests.cluster.works import END_SECONDS_MAX, PAUSE_SECONDS, Round, again, connected, events_of

__all__ = ["Scoring"]

POINTS = 5
PLAYERS = 2


class Scoring:
    """
    Matches in which both players give themselves points.

    Args:
        pairs: the number of pairs.
    """

    def __init__(self, pairs: int) -> None:
        self.pairs = pairs
        # A match -> a player -> the points that were acknowledged.
        self.scored: dict[str, Counter[str]] = {}
        self.stuck: list[str] = []

    async def run(self, round_: Round) -> None:
        """Play until the round is over."""
        async with anyio.create_task_group() as tasks:
            for number in range(self.pairs):
                tasks.start_soon(self._play, round_, f"pair {number}")

    async def _play(self, round_: Round, pair: str) -> None:
        async with (
            connected(round_.url, f"{pair} one") as one,
            connected(round_.url, f"{pair} other") as other,
        ):
            for number in count():
                if round_.is_over:
                    return
                players, key = [one.user.id, other.user.id], f"match {number}"
                start = partial(one.games.start_match, players, rules=hubbub.FirstTo(POINTS))
                try:
                    match = await again(partial(start, key=key))
                except Conflict:
                    # Its node does not know yet that the other is there.
                    await anyio.sleep(PAUSE_SECONDS)
                    continue
                self.scored[match.id] = Counter()
                with anyio.move_on_after(2 * END_SECONDS_MAX) as scope:
                    async with anyio.create_task_group() as tasks:
                        for player in (one, other):
                            tasks.start_soon(self._score, player, match.id)
                if scope.cancelled_caught:
                    self.stuck.append(match.id)

    async def _score(self, player: hubbub.Session, match: str) -> None:
        for number in count():
            score = partial(player.games.add_score, match, 1, key=f"{match} {number}")
            try:
                after = await again(score)
            except Conflict:
                # The other has won.
                return
            self.scored[match][player.user.id] += 1
            if after.status != "active":
                return
            await anyio.sleep(PAUSE_SECONDS)

    async def faults(self, reader: hubbub.Session) -> list[str]:
        """Return what is wrong."""
        found = [f"the match {match} is not played to its end" for match in self.stuck]
        for match, scored in self.scored.items():
            events = [event.data for event in await events_of(reader, f"match/{match}")]
            ends = [one for one in events if isinstance(one, Completed | MatchCancelled)]
            stored = Counter(one.player for one in events if isinstance(one, Scored))
            reason = getattr(ends[0], "reason", None) if ends else None
            if len(scored) < PLAYERS and reason and stored == scored:
                # A player was away all the time; such a match does not count.
                continue
            if len(ends) != 1:
                found.append(f"the match {match} has {len(ends)} ends")
            elif stored != scored or getattr(ends[0], "scores", None) != stored + Counter():
                found.append(f"the match {match}: {scored} were acknowledged, it has {events}")
            if any(isinstance(one, Forfeited) for one in events):
                found.append(f"a player forfeited {match}")
        return found

    def figures(self) -> str:
        """Return the number of matches."""
        return f"{len(self.scored)} matches scored"
