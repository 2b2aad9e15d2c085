"""Whether a match has a result by now, and what to wait for if it has none. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from ...journal.decide.states import States
from ...journal.event import Draft
from ...journal.schedule import Schedule, Scheduled
from . import ending
from .ending import MATCH_SCHEDULE
from .game import outcome
from .leaving import abandoned_at, counts_for, is_rated, took_part
from .match import MatchState
from .rules import Outcome, Standing
from .terms import MatchTerms

__all__ = ["NOBODY_ACTED", "NOBODY_CAME", "end_if_decided", "result_drafts", "wait", "without"]

NOBODY_LEFT = "Nobody is left to play."
NOBODY_CAME = "Fewer than two players have come, or the winner has not."
NOBODY_ACTED = "Fewer than two players have taken part, or the winner has not."


def end_if_decided(  # noqa: PLR0913
    states: States,
    stream: str,
    match: MatchState,
    standing: Standing,
    terms: MatchTerms,
    *,
    waits: Collection[str] = (),
) -> list[Draft]:
    """
    End a match if that is decided.

    Args:
        states: what is.
        stream: the match's.
        match: as it will be.
        standing: the players who still play, and how.
        terms: the hub's.
        waits: players who may still return, and win only then: to forfeit is no result
            between two players who are both away.
    """
    if not standing.players:
        return ending.cancel_drafts(states, stream, match, NOBODY_LEFT)
    ended = _outcome(match, standing, terms, waits)
    return [] if ended is None else result_drafts(states, stream, match, standing, ended, terms)


def result_drafts(  # noqa: PLR0913
    states: States,
    stream: str,
    match: MatchState,
    standing: Standing,
    ended: Outcome,
    terms: MatchTerms,
) -> list[Draft]:
    """End a match with a result, or without one if the result would be against an absent player."""
    counted = [p for p in match.players if counts_for(match, p)]
    if len(counted) < 2 or (ended.winner is not None and ended.winner not in counted):
        reason = NOBODY_CAME if match.asked else NOBODY_ACTED
        return ending.cancel_drafts(states, stream, match, reason)
    rated_max = terms.rated_max_of(match.game) if is_rated(match) else 0
    points = terms.win_points_of(match.game)
    rated = ending.Counted(counted, rated_max)
    return ending.complete(states, stream, match, standing, ended, points, rated)


def _outcome(
    match: MatchState, standing: Standing, terms: MatchTerms, waits: Collection[str]
) -> Outcome | None:
    if len(standing.players) > 1:
        return outcome(match.rules, standing, terms.games)
    [last] = standing.players
    came = took_part(match, last)
    if not match.asked and not came:
        # There is nobody left to wait for: it ends here, and not as this player's win.
        return Outcome(last)
    return Outcome(last) if came and last not in waits else None


def wait(
    states: States, stream: str, match: MatchState, standing: Standing, terms: MatchTerms
) -> list[Draft]:
    """Plan when to look at a match again; cancel it if nobody is left to wait for."""
    assert match.started_at is not None
    times = [at + terms.grace for player, at in match.dropped.items() if player not in match.gone]
    abandoned = abandoned_at(
        match, standing, began=match.started_at, grace=terms.grace, idle=terms.idle
    )
    if abandoned is not None:
        if abandoned <= states.now:
            return ending.cancel_drafts(states, stream, match, NOBODY_LEFT)
        times.append(abandoned)
    if (ends_at := match.ends_at()) is not None:
        times.append(ends_at)
    due = min(times, default=None)
    schedule = states.of(Schedule, MATCH_SCHEDULE).due
    if stream in schedule and schedule[stream] == due:
        return []
    return [Draft(MATCH_SCHEDULE, Scheduled(stream, due))]


def without(standing: Standing, leaving: Sequence[str]) -> Standing:
    """Return how a match stands once some players are gone."""
    players = [player for player in standing.players if player not in leaving]
    return msgspec.structs.replace(standing, players=players)
