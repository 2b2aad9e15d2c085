"""Reading what is over: matches that have ended, and seasons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from ..errors import Invalid, NotFound
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
    """
    List the newest matches of a status that one may watch, the first to start first.

    Raises:
        Invalid: there is no such status.
    """
    if status is not None and status not in get_args(Status):
        raise Invalid(f"A match is {', '.join(get_args(Status))}, not {status!r}.")
    found = dict[str, Match]()
    for holder in (INDEX, f"user/{caller.user}"):
        active, head = await caller.execute(_links_command(caller, holder))
        if status in (None, "active"):
            found |= await _shown(caller, active, status)
        if status != "active":
            found |= await _ended(caller, holder, head, status, limit)
    return [found[stream] for stream in sorted(found)[-limit:]]


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
        after = await caller.query(_fold, caller, stream, state, after, season.until)
    return stream, state


def _fold(caller: Caller, stream: str, state: BoardState, after: int, until: int) -> int:
    journal = caller.journal
    last = min(until, after + PAGE)
    for body in journal.store.read(stream, after, last - after):
        state.apply(journal.streams.decode(body))
    return last


def _links_command(caller: Caller, holder: str) -> Command[tuple[list[str], int]]:
    def result(states: States, events: Sequence[Event]) -> tuple[list[str], int]:
        return list(states.of(Links, holder).links), states.cell(holder).head

    return Command(caller.user, nothing, result, reads=(holder,))


async def _ended(
    caller: Caller, holder: str, head: int, status: Status | None, limit: int
) -> dict[str, Match]:
    journal, found = caller.journal, dict[str, Match]()
    first = max(0, head - EVENTS_READ_MAX)
    while head > first and len(found) < limit:
        after = max(first, head - PAGE)
        bodies = await journal.read(holder, after, head - after, by=caller.user)
        ended = [journal.streams.decode(body).data for body in bodies]
        streams = [data.to for data in ended if isinstance(data, Unlinked)]
        found |= await _shown(caller, streams, status)
        head = after
    return found


async def _shown(caller: Caller, links: Sequence[str], status: Status | None) -> dict[str, Match]:
    streams = [stream for stream in links if stream.startswith("match/")]

    def result(states: States, events: Sequence[Event]) -> dict[str, Match]:
        matches = {stream: states.of(MatchState, stream) for stream in streams}
        return {
            stream: match_of(stream, match)
            for stream, match in matches.items()
            if match.is_for(caller.user) and status in (None, match.status)
        }

    return await caller.execute(Command(caller.user, nothing, result, reads=streams))
