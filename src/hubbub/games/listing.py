"""Reading what is over: matches that have ended, and seasons."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ..errors import NotFound
from ..journal.caller import Caller
from ..journal.command import Command, nothing
from ..journal.event import Event
from ..journal.link import Links, Unlinked
from ..journal.states import States
from .board import BoardState, Season
from .ending import INDEX
from .match import Match, MatchState, Status, match_of

__all__ = ["list_matches", "season_entries"]

PAGE = 500
# How far back the ended matches are looked for.
EVENTS_READ_MAX = 10_000


async def list_matches(caller: Caller, status: Status | None, limit: int) -> list[Match]:
    """List the newest matches of a status that one may watch, the first to start first."""
    streams: set[str] = set()
    for holder in (INDEX, f"user/{caller.user}"):
        active, head = await caller.execute(_links_command(caller, holder))
        if status in (None, "active"):
            streams.update(active)
        if status != "active":
            streams.update(await _ended(caller, holder, head, limit))
    found = list[Match]()
    for stream in sorted(streams, reverse=True):
        show = partial(_show, caller, stream)
        match = await caller.execute(Command(caller.user, nothing, show, reads=(stream,)))
        if match is not None and status in (None, match.status):
            found.append(match)
        if len(found) == limit:
            break
    return found[::-1]


async def season_entries(caller: Caller, stream: str, number: int) -> tuple[str, BoardState]:
    """
    Fold a season that is over again, from its events.

    Raises:
        NotFound: there is no such season.
    """

    def result(states: States, events: Sequence[Event]) -> tuple[BoardState, Season]:
        board = states.of(BoardState, stream)
        board.check_exists(stream)
        for season in board.seasons:
            if season.number == number:
                empty = BoardState(board.operator, board.order, None, board.created_at)
                return empty, season
        raise NotFound(f"This board has no season {number!r} that is over.")

    state, season = await caller.execute(Command(caller.user, nothing, result, reads=(stream,)))
    after = season.after
    while after < season.until:
        after = await caller.journal.query(_fold, caller, stream, state, after, season.until)
    return stream, state


def _fold(caller: Caller, stream: str, state: BoardState, after: int, until: int) -> int:
    journal = caller.journal
    last = min(until, after + PAGE)
    for body in journal.store.read(stream, after, last - after):
        state.apply(journal.streams.decode(body))
    return last


def _links_command(caller: Caller, holder: str) -> Command[tuple[list[str], int]]:
    def result(states: States, events: Sequence[Event]) -> tuple[list[str], int]:
        links = states.of(Links, holder).links
        found = [stream for stream in links if stream.startswith("match/")]
        return found, states.cell(holder).head

    return Command(caller.user, nothing, result, reads=(holder,))


async def _ended(caller: Caller, holder: str, head: int, limit: int) -> set[str]:
    journal, found = caller.journal, set[str]()
    first = max(0, head - EVENTS_READ_MAX)
    while head > first and len(found) < limit:
        after = max(first, head - PAGE)
        for body in await journal.read(holder, after, head - after):
            data = journal.streams.decode(body).data
            if isinstance(data, Unlinked) and data.to.startswith("match/"):
                found.add(data.to)
        head = after
    return found


def _show(caller: Caller, stream: str, states: States, events: Sequence[Event]) -> Match | None:
    state = states.of(MatchState, stream)
    return match_of(stream, state) if state.is_for(caller.user) else None
