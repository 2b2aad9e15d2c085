"""Lists of matches: running ones, and past ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from heapq import nlargest
from itertools import islice
from typing import get_args

from ...errors import Invalid
from ...journal.actor import Actor
from ...journal.command import Command, nothing
from ...journal.decide.states import States
from ...journal.event import Event
from ...journal.link import Links, Unlinked
from ...journal.shards import stream_shards
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
    # The first is an earlier release's.
    index = (MATCH_INDEX, *stream_shards(MATCH_INDEX))
    for holders in (index, (user_stream(actor.user),)):
        newest = limit if status in (None, "active") else 0
        active, heads = await actor.execute(_links_command(actor, holders, newest))
        found |= await _shown(actor, active, status)
        if status != "active":
            found |= await _ended(actor, heads, status, limit)
    # The ids of matches sort by their start.
    return [found[stream] for stream in sorted(found)[-limit:]]


def _links_command(
    actor: Actor, holders: Sequence[str], newest: int
) -> Command[tuple[list[str], dict[str, int]]]:
    def result(states: States, events: Sequence[Event]) -> tuple[list[str], dict[str, int]]:
        states.need(holders)
        found, heads = list[str](), dict[str, int]()
        for holder in holders:
            # Links are in the order in which they were made, so the cost depends on the page alone.
            links = reversed(states.of(Links, holder).links)
            found += islice(filter(is_match, links), newest)
            heads[holder] = states.entry(holder).head
        return nlargest(newest, found), {holder: head for holder, head in heads.items() if head}

    return Command(actor.user, nothing, result, reads=holders)


async def _ended(
    actor: Actor, heads: dict[str, int], status: MatchStatus | None, limit: int
) -> dict[str, Match]:
    found, looked_at = dict[str, Match](), 0
    most = EVENTS_READ_MAX // max(1, len(heads))
    firsts = {holder: max(0, head - most) for holder, head in heads.items()}
    while heads and len(found) < limit and looked_at < MATCHES_SHOWN_MAX:
        streams = await _ended_before(actor, heads, firsts)
        # Load only as many as needed, or a few at a time: each may be in the store only.
        streams = streams[: MATCHES_SHOWN_MAX - looked_at]
        while streams and len(found) < limit:
            few = max(limit, FEW)
            some, streams = streams[:few], streams[few:]
            found |= await _shown(actor, some, status)
            looked_at += len(some)
    return found


async def _ended_before(
    actor: Actor, heads: dict[str, int], firsts: Mapping[str, int]
) -> list[str]:
    """Read a page of events, from all holders together; return the ended matches, newest first."""
    journal, ended = actor.journal, list[tuple[datetime, str]]()
    page = max(1, PAGE // len(heads))
    for holder, head in list(heads.items()):
        after = max(firsts[holder], head - page)
        bodies = await journal.read(holder, after, head - after, by=actor.user)
        for event in map(journal.streams.decode, bodies):
            if isinstance(event.data, Unlinked) and is_match(event.data.to):
                ended.append((event.at, event.data.to))
        heads[holder] = after
        if after <= firsts[holder]:
            del heads[holder]
    return [stream for _, stream in sorted(ended, reverse=True)]


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
