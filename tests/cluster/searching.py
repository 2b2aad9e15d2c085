"""Users who find opponents and play a match that a node runs."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import AsyncIterator
from functools import partial
from itertools import count

import anyio

import hubbub
from hubbub.errors import Conflict, NoOpponent, NotAllowed
from hubbub.games.events import Completed, Forfeited, MatchCancelled, MatchClaimed, Told
from hubbub.journal.event import Event
from tests.cluster.works import END_SECONDS_MAX, Round, again, connected, events_of, following

__all__ = ["Searching"]

GAME = "arithmetic"
SEARCH_SECONDS = 5.0
SIGNS = {"+": operator.add, "-": operator.sub, "×": operator.mul}


class Searching:
    """
    Matches of quick arithmetic.

    Args:
        players: the number of users, who all use one queue.
    """

    def __init__(self, players: int) -> None:
        self.players = players
        # A match -> the users who were told of it.
        self.found: dict[str, Counter[str]] = {}
        self.stuck: set[str] = set()
        self.claims = 0
        # The longest times without a question, one of each match, in seconds.
        self.pauses: list[float] = []

    async def run(self, round_: Round) -> None:
        """Play until the round is over."""
        async with anyio.create_task_group() as tasks:
            for number in range(self.players):
                tasks.start_soon(self._play, round_, f"player {number}")

    async def _play(self, round_: Round, name: str) -> None:
        random = round_.random(name)
        async with connected(round_.url, name) as player:
            for number in count():
                if round_.is_over:
                    return
                find = partial(player.games.find_match, queue=GAME, timeout=SEARCH_SECONDS)
                try:
                    match = await again(partial(find, key=f"search {number}"))
                except NoOpponent:
                    continue
                self.found.setdefault(match.id, Counter())[player.user.id] += 1
                with anyio.move_on_after(2 * END_SECONDS_MAX) as scope:
                    async with following(player, match.stream) as events:
                        # So slow that a match lasts for some seconds.
                        await self._answer(player, match.id, events, random.uniform(0.1, 0.4))
                if scope.cancelled_caught:
                    self.stuck.add(match.id)

    async def _answer(
        self, player: hubbub.Session, match: str, events: AsyncIterator[Event], pause: float
    ) -> None:
        since, longest = anyio.current_time(), 0.0
        async for event in events:
            if isinstance(event.data, Completed | MatchCancelled):
                self.pauses.append(longest)
                return
            if not isinstance(event.data, Told) or "text" not in event.data.body:
                continue
            now = anyio.current_time()
            since, longest = now, max(longest, now - since)
            await anyio.sleep(pause)
            answer = {"question": event.data.body["question"], "answer": right(event)}
            try:
                await again(partial(player.games.message, match, answer))
            except (Conflict, NotAllowed):
                # It ended meanwhile; the event comes.
                continue

    async def faults(self, reader: hubbub.Session) -> list[str]:
        """Return what is wrong."""
        found = [f"the match {match} is not played to its end" for match in self.stuck]
        for match, told in self.found.items():
            events = await events_of(reader, f"match/{match}")
            ends = [one for one in events if isinstance(one.data, Completed | MatchCancelled)]
            self.claims += sum(isinstance(one.data, MatchClaimed) for one in events)
            if sorted(told.values()) != [1, 1]:
                found.append(f"of the match {match} were told: {told}")
            if len(ends) != 1 or isinstance(ends[0].data, MatchCancelled):
                found.append(f"the match {match} ended with {ends}")
            if any(isinstance(one.data, Forfeited) for one in events):
                found.append(f"a player forfeited {match}")
        return found

    def figures(self) -> str:
        """Return the number of matches, and how long they stood still."""
        longest = max(self.pauses, default=0.0)
        return f"{len(self.found)} found, {self.claims} claimed, paused up to {longest:.1f} s"


def right(event: Event) -> int:
    """Return the right answer to a question."""
    assert isinstance(event.data, Told)
    one, sign, other = event.data.body["text"].split()
    result: int = SIGNS[sign](int(one), int(other))
    return result
