"""Lists of matches: running ones, and past ones."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import get_args

from ...errors import Invalid
from ...journal.actor import Actor
from ...journal.command import Command, nothing
from ...journal.decide.states import States
from ...journal.event import Event
from ...journal.link import Links, Unlinked
from ...shown import shown
from ...stream_names import user_stream
from .ending import MATCH_INDEX
from .match import Match, MatchState, MatchStatus, is_match, match_of

__all__ = ["list_matches"]

PAGE = 500
# Events that are read for one list: how far back it finds past matches.
EVENTS_READ_MAX = 10_000
# Matches that are loaded for one list.
MATCHES_SHOWN_MAX = 1_000
FEW = 50


async def list_matches(actor: Actor, status: MatchStatus | None, limit: int) -> list[Match]:
    """
    List the newest matches of a status that the user can watch, in the order of their start.

    Raises:
        Invalid: the status does not exist.
    """
    if status is not None and status not in get_args(MatchStatus):
        raise Invalid(
            f"status must be one of {', '.join(get_args(MatchStatus))}, not {shown(status)}."
        )
    found = dict[str, Match]()
    for holder in (MATCH_INDEX, user_stream(actor.user)):
        newest = limit if status in (None, "active") else 0
        active, head = await actor.execute(_links_command(actor, holder, newest))
        found |= await _shown(actor, active, status)
        if status != "active":
            found |= await _ended(actor, holder, head, status, limit)
    # The ids of matches sort by their start.
    return [found[stream] for stream in sorted(found)[-limit:]]


def _links_command(actor: Actor, holder: str, newest: int) -> Command[tuple[list[str], int]]:
    def result(states: States, events: Sequence[Event]) -> tuple[list[str], int]:
        # Links are in the order in which they were made, so the cost depends on the page alone.
        links = reversed(states.of(Links, holder).links)
        return list(islice(filter(is_match, links), newest)), states.entry(holder).head

    return Command(actor.user, nothing, result, reads=(holder,))


async def _ended(
    actor: Actor, holder: str, head: int, status: MatchStatus | None, limit: int
) -> dict[str, Match]:
    journal, found, looked_at = actor.journal, dict[str, Match](), 0
    first = max(0, head - EVENTS_READ_MAX)
    while head > first and len(found) < limit and looked_at < MATCHES_SHOWN_MAX:
        after = max(first, head - PAGE)
        bodies = await journal.read(holder, after, head - after, by=actor.user)
        ended = [journal.streams.decode(body).data for body in reversed(bodies)]
        streams = [data.to for data in ended if isinstance(data, Unlinked) and is_match(data.to)]
        # Load only as many as needed, or a few at a time: each may be in the store only.
        streams = streams[: MATCHES_SHOWN_MAX - looked_at]
        while streams and len(found) < limit:
            few = max(limit, FEW)
            some, streams = streams[:few], streams[few:]
            found |= await _shown(actor, some, status)
            looked_at += len(some)
        head = after
    return found


async def _shown(
    actor: Actor, streams: Sequence[str], status: MatchStatus | None
) -> dict[str, Match]:
    def result(states: States, events: Sequence[Event]) -> dict[str, Match]:
        matches = {stream: states.of(MatchState, stream) for stream in streams}
        return {
            stream: match_of(stream, match)
            for stream, match in matches.items()
            if match.is_for(actor.user) and status in (None, match.status)
        }

    return await actor.execute(Command(actor.user, nothing, result, reads=streams))
