"""Matches that a game runs: at one node at a time, and what it has answered is there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import count
from typing import Any

from ..errors import Conflict, Invalid
from ..games.matches.game import Game, Handler, Table
from ..games.matches.match import is_match
from ..games.matches.rules import Timed
from ..session import Session
from .client import Client
from .workload import Evidence

__all__ = ["REALTIME", "RealtimeWorkload", "is_realtime"]

# The name of the game.
REALTIME = "realtime"
TICKS_PER_SECOND = 0.25
# How long a match takes, in seconds, at least and at most.
SECONDS = (30.0, 150.0)
# How often a user starts a match instead of sending a message to one.
START_CHANCE = 0.3


class RealtimeWorkload:
    """
    Users who play matches that a game runs.

    The game tells everything with the number of its run, so the journal shows whether two nodes
    have run a match at the same time. The clock must not jump: a match would last for too long.
    """

    name = "realtime"

    def __init__(self) -> None:
        self.game = Game(
            handler=self._new_run,
            ticks_per_second=TICKS_PER_SECOND,
            rules=Timed(SECONDS[1]),
            board=REALTIME,
            win_points=0,
            rated=False,
        )
        # A match -> the texts that its game has acknowledged.
        self.acknowledged: dict[str, set[str]] = defaultdict(set)
        self._runs = count(1)
        self._users: dict[str, None] = {}
        # A user -> the matches that they play in, as far as they know.
        self._playing: dict[str, list[str]] = defaultdict(list)

    async def prepare(self, admin: Session) -> None:
        """Do nothing: a match needs nothing."""

    async def begin(self, client: Client) -> None:
        """Be ready to play."""
        self._users[client.user] = None

    async def follow(self, client: Client) -> None:
        """Watch nothing."""

    async def act(self, client: Client) -> None:
        """Start a match, or send a message to one."""
        playing = self._playing[client.user]
        if playing and client.random.random() >= START_CHANCE:
            await self._send(client, client.random.choice(playing))
        else:
            await self._start(client)

    def missing(self, evidence: Evidence) -> Iterator[str]:
        """Every match ends when its time is up."""
        for stream, events in _matches(evidence):
            if not any(event["type"] in ("completed", "cancelled") for event in events):
                yield f"{stream} is run by a game, and has not ended."

    def broken(self, evidence: Evidence) -> Iterator[str]:
        """One run follows another, and none has lost what it has acknowledged."""
        for stream, events in _matches(evidence):
            yield from _overlapping(stream, events)
            said = {one["body"].get("said") for one in events if one["type"] == "told"}
            for text in sorted(self.acknowledged[stream.removeprefix("match/")] - said):
                yield f"{stream} has lost {text!r}, which its game has acknowledged."

    async def _start(self, client: Client) -> None:
        others = [user for user in self._users if user != client.user]
        if not others:
            return
        other = client.random.choice(others)
        start = partial(
            client.session.games.start_match,
            [client.user, other],
            rules=Timed(client.random.uniform(*SECONDS)),
            board=REALTIME,
            game=REALTIME,
            key=client.new_key(),
        )
        try:
            match = await client.attempt("start a match of the game", start)
        except Conflict:
            # The other user is not connected.
            return
        if match is not None:
            self._playing[client.user].append(match.id)
            self._playing[other].append(match.id)

    async def _send(self, client: Client, match: str) -> None:
        text = client.new_key()
        send = partial(client.session.games.message, match, {"said": text}, key=client.new_key())
        try:
            answered = await client.attempt("send a message to the game", partial(_sent, send))
        except Conflict:
            self._playing[client.user].remove(match)
        else:
            if answered:
                self.acknowledged[match].add(text)

    def _new_run(self) -> Handler:
        return _Run(next(self._runs))


class _Run(Handler):
    """One run of a match, which tells whatever happens to it."""

    def __init__(self, number: int) -> None:
        self._number = number

    async def on_start(self, table: Table) -> None:
        await table.tell({"run": self._number})

    async def on_message(self, table: Table, player: str, body: dict[str, Any]) -> None:
        if not isinstance(body.get("said"), str):
            raise Invalid("Say something.")
        await table.tell({"run": self._number, "said": body["said"]})

    async def on_tick(self, table: Table, tick: int) -> None:
        await table.tell({"run": self._number, "tick": tick})


def is_realtime(events: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether a match belongs to this game, given its events."""
    return bool(events) and events[0].get("game") == REALTIME


def _matches(evidence: Evidence) -> Iterator[tuple[str, Sequence[Mapping[str, Any]]]]:
    for stream, events in evidence.streams.items():
        if is_match(stream) and is_realtime(events):
            yield stream, events


def _overlapping(stream: str, events: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    over, current = set[int](), 0
    for event in events:
        if event["type"] == "match_claimed":
            over.add(current)
        elif event["type"] == "told":
            run = event["body"]["run"]
            if run in over:
                yield f"{stream} has {event['body']}, from a run that was over."
                return
            if run != current:
                over.add(current)
                current = run


async def _sent(send: Callable[[], Awaitable[None]]) -> bool:
    await send()
    return True
