"""Whether a match has a result yet, and what to wait for if not. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from ...journal.decide.states import States
from ...journal.event import Draft
from ...journal.schedule import schedule_entry, scheduled
from . import ending
from .ending import MATCH_SCHEDULE
from .game import outcome
from .leaving import abandoned_at, counts_for, is_rated, took_part
from .match import MatchState
from .rules import Outcome, Standing
from .terms import MatchTerms

__all__ = ["NOBODY_ACTED", "NOBODY_CAME", "end_if_decided", "result_drafts", "wait", "without"]

NOBODY_LEFT = "Nobody is left to play."
NOBODY_CAME = "Fewer than two players connected, or the winner did not."
NOBODY_ACTED = "Fewer than two players took part, or the winner did not."


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
    End a match if it is decided.

    Args:
        states: the states to decide on.
        stream: the match's stream.
        match: the match as it will be.
        standing: the standing of the players who still play.
        terms: the hub's terms.
        waits: players who can still return, and win only then: a forfeit does not
            decide between two players who are both away.
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
    """End a match with a result; without one if it would be against an absent player."""
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
        # No other player could return: end it here, and not as this player's win.
        return Outcome(last)
    return Outcome(last) if came and last not in waits else None


def wait(
    states: States, stream: str, match: MatchState, standing: Standing, terms: MatchTerms
) -> list[Draft]:
    """Schedule the next look at a match; cancel it if no player could return."""
    assert match.started_at is not None
    times = [at + terms.grace for player, at in match.dropped.items() if player not in match.gone]
    abandoned = abandoned_at(
        match, standing, began=match.started_at, grace=terms.grace, idle=terms.idle
    )
    if abandoned is not None:
        if abandoned <= states.now:
            return ending.cancel_drafts(states, stream, match, NOBODY_LEFT)
        times.append(abandoned)
    # When the time is up, only the last player's return is awaited: their grace period is later.
    if (ends_at := match.ends_at()) is not None and ends_at > states.now:
        times.append(ends_at)
    due = min(times, default=None)
    if schedule_entry(states, MATCH_SCHEDULE, stream) == (True, due):
        return []
    return [scheduled(MATCH_SCHEDULE, stream, due)]


def without(standing: Standing, leaving: Sequence[str]) -> Standing:
    """Return the standing of a match without some players."""
    players = [player for player in standing.players if player not in leaving]
    return msgspec.structs.replace(standing, players=players)
