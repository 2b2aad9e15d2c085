"""Matches: each ends once, with exactly the points that were scored, and nobody waits forever."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import anyio

from ..errors import Closed, Conflict, HubbubError, NoOpponent, NotAllowed, Overloaded, StorageError
from ..games.matches.match import Match
from ..games.matches.rules import FirstTo, Timed
from ..session import Session
from .client import Client
from .match_books import MatchBooks
from .match_evidence import broken_matches, unfinished_matches
from .workload import Evidence

__all__ = ["MatchWorkload"]

# The board where winners get points.
BOARD = "wins"
POINTS = 100
# How long a match by the clock takes, in seconds, at least and at most.
TIMED_SECONDS = (30.0, 400.0)
# How long a search for an opponent takes, in seconds.
SEARCH_SECONDS = 20.0
# How long a user drops out, in seconds, at most: some return in time, some forfeit.
AWAY_SECONDS_MAX = 90.0

# How often a user does something else than to play.
LEAVE_CHANCE = 0.06
INTRUDE_CHANCE = 0.05
SEARCH_CHANCE = 0.08
RESIGN_CHANCE = 0.05
# How often a new match has a time limit, and how often only its players can watch it.
TIMED_CHANCE = 0.3
PRIVATE_CHANCE = 0.25
# How often a player scores twice at once.
TWICE_CHANCE = 0.25
# How often a command is repeated that was acknowledged.
AGAIN_CHANCE = 0.1
# How often a score has a key of the player's own, so that they can repeat it.
KEY_CHANCE = 0.7


class MatchWorkload:
    """
    Users who play matches of two.

    Args:
        steady: whether the clock never jumps, so that deadlines can be checked.
    """

    name = "matches"

    def __init__(self, *, steady: bool = True) -> None:
        self.books = MatchBooks()
        self._steady = steady
        self._calls: dict[str, _Calls] = {}

    async def prepare(self, admin: Session) -> None:
        """Make the board."""
        await admin.games.create_board(BOARD, operator="sum")

    async def begin(self, client: Client) -> None:
        """Be ready to play."""
        self._calls.setdefault(client.user, _Calls())

    async def follow(self, client: Client) -> None:
        """Play when the opponent plays: users agree on that outside of the system."""
        calls = self._calls[client.user]
        while True:
            match = await calls.next()
            if match is None:
                await self._search(client)
            else:
                await self._rally(client, match)

    async def act(self, client: Client) -> None:
        """Play the newest match; begin a match if there is none; sometimes something else."""
        drawn, running = client.random.random(), self.books.running(client.user)
        if drawn < LEAVE_CHANCE:
            client.leave(client.random.uniform(1.0, AWAY_SECONDS_MAX))
        elif drawn < LEAVE_CHANCE + INTRUDE_CHANCE:
            await self._intrude(client)
        elif drawn < LEAVE_CHANCE + INTRUDE_CHANCE + SEARCH_CHANCE:
            if (other := self._opponent(client)) is not None:
                self._calls[other].put(None)
            await self._search(client)
        elif not running:
            await self._start(client)
        elif drawn > 1 - RESIGN_CHANCE:
            await self._resign(client, running[-1])
        else:
            await self._play(client, running[-1])

    def missing(self, evidence: Evidence) -> Iterator[str]:
        """Nobody is taken for absent, and every match whose time is up has ended."""
        yield from unfinished_matches(evidence, steady=self._steady)

    def broken(self, evidence: Evidence) -> Iterator[str]:
        """A match ends once, and has the points that were scored."""
        yield from self.books.complaints
        yield from broken_matches(self.books, evidence, steady=self._steady)

    def _opponent(self, client: Client) -> str | None:
        others = [user for user in self._calls if user != client.user]
        return client.random.choice(others) if others else None

    async def _start(self, client: Client) -> None:
        user, other, random = client.user, self._opponent(client), client.random
        if other is None:
            return
        rules = Timed(random.uniform(*TIMED_SECONDS))
        start = partial(
            client.session.games.start_match,
            [user, other],
            rules=rules if random.random() < TIMED_CHANCE else FirstTo(POINTS),
            board=BOARD,
            private=random.random() < PRIVATE_CHANCE,
            key=client.new_key(),
        )
        self.books.starts[user] += 1
        try:
            match = await client.attempt("start a match", start)
        except Conflict:
            # The other one is not connected.
            return
        if match is None:
            return
        self.books.see(match)
        if random.random() < AGAIN_CHANCE:
            again = await client.attempt("start a match again", start)
            if again is not None and again.id != match.id:
                self.books.complaints.append(f"One key started {match.id} and {again.id}.")
        await self._play(client, match.id)

    async def _search(self, client: Client) -> None:
        key = client.new_key()
        self.books.searches[client.user].add(key)
        search = partial(client.session.games.find_match, timeout=SEARCH_SECONDS, key=key)
        try:
            match = await client.attempt("search", search)
        except (NoOpponent, Conflict):
            return
        if match is not None:
            self.books.found[match.id, client.user] = key
            self.books.see(match)

    async def _play(self, client: Client, match: str) -> None:
        self._calls[self.books.opponent(match, client.user)].put(match)
        await self._rally(client, match)

    async def _rally(self, client: Client, match: str) -> None:
        if match not in self.books.running(client.user):
            return
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._score, client, match)
            if client.random.random() < TWICE_CHANCE:
                tasks.start_soon(self._score, client, match)

    async def _score(self, client: Client, match: str) -> None:
        games, books, random = client.session.games, self.books, client.random
        score = client.user, books.new_points(match)
        books.tried[match].add(score)
        try:
            if random.random() < KEY_CHANCE:
                call = partial(games.add_score, match, score[1], key=client.new_key())
                seen = await client.attempt("score", call)
            else:
                # It cannot be repeated: the outcome may stay unknown.
                seen = await games.add_score(match, score[1])
        except Conflict:
            books.refused[match].add(score)
            books.close(match, client.user)
        except (StorageError, Overloaded, Closed):
            return
        else:
            if seen is not None:
                books.acknowledged[match].add(score)
                books.see(seen)

    async def _resign(self, client: Client, match: str) -> None:
        try:
            call = partial(client.session.games.resign, match)
            seen = await client.attempt("resign", call)
        except Conflict:
            self.books.close(match, client.user)
        else:
            if seen is not None:
                self.books.left[match].add(client.user)
                self.books.see(seen)

    async def _intrude(self, client: Client) -> None:
        """Score in a match of others, and look at it."""
        games, user = client.session.games, client.user
        others = [match for match in self.books.seen.values() if user not in match.players]
        if not others:
            return
        match = client.random.choice(others)
        for what, call in (
            ("scores in", partial(games.add_score, match.id, POINTS)),
            ("looks at", partial(games.match, match.id)),
        ):
            try:
                seen = await call()
            except NotAllowed as error:
                if what == "looks at" and not match.private:
                    self.books.complaints.append(f"{user} {what} {match.id}: {error}")
            except HubbubError:
                continue
            else:
                self._check_seen(user, what, seen)

    def _check_seen(self, user: str, what: str, match: Match) -> None:
        if match.private or what == "scores in":
            self.books.complaints.append(f"{user} {what} {match.id}, and does not play in it.")
        self.books.see(match)


class _Calls:
    """Calls of a user: to play a match or, if it is None, to search for an opponent."""

    def __init__(self) -> None:
        self._calls: list[str | None] = []
        self._called = anyio.Event()

    def put(self, match: str | None) -> None:
        """Call the user."""
        self._calls.append(match)
        self._called.set()

    async def next(self) -> str | None:
        """Wait for the next call."""
        while not self._calls:
            self._called = anyio.Event()
            await self._called.wait()
        return self._calls.pop(0)
