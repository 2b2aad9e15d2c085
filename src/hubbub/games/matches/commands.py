"""What is decided in a match. Pure: it asks the states, and returns drafts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from ...errors import Conflict, Invalid, NotAllowed, NotFound
from ...journal.decide.states import States
from ...journal.event import Draft, Event
from ...journal.link import Links
from ...journal.schedule import Schedule, Scheduled, Unscheduled
from ...shown import shown
from .. import events as e
from ..boards.board import board_stream
from ..boards.commands import Maker, made_by
from . import ending
from .ending import MATCH_SCHEDULE
from .game import PLAYERS_MAX, Game, decider, outcome
from .leaving import abandoned_at, counts_for, presence, took_part
from .match import Match, MatchState, match_of
from .rules import POINTS_MAX, AnyRules, Custom, Outcome, Standing, check_rules

__all__ = [
    "MatchTerms",
    "Starter",
    "Wanted",
    "cancel",
    "check_begun",
    "found",
    "hear",
    "look_at_match",
    "resign",
    "score",
    "start",
    "tell",
]

NOBODY_LEFT = "Nobody is left to play."
NOBODY_CAME = "Fewer than two players have come, or the winner has not."
NOBODY_ACTED = "Fewer than two players have taken part, or the winner has not."


class MatchTerms(msgspec.Struct, frozen=True):
    """
    What all matches of a hub have in common.

    Args:
        games: what the application has brought.
        online: tells whether a user is connected just now.
        grace: how long a player may be gone.
        win_points: what the board gives to the winner.
        idle: how long a match goes on without a connected player, if any player has played.
        rated_max: how many matches of the same two players are rated in a day.
        chars_max: the longest id of a user.
    """

    games: Mapping[str, Game]
    online: Callable[[str], bool]
    grace: timedelta
    win_points: int
    idle: timedelta = timedelta(days=1)
    rated_max: int = 5
    chars_max: int = 100


class Starter(msgspec.Struct, frozen=True):
    """
    A user who starts a match over a network.

    Args:
        maker: makes the match's board, if it is not there.
        matches_max: how many matches that they have begun may go on at one time.
    """

    maker: Maker
    matches_max: int


class Wanted(msgspec.Struct, frozen=True):
    """A match to be started; see :meth:`hubbub.games.service.Games.start_match`."""

    players: list[str]
    rules: AnyRules
    board: str
    referee: str | None = None
    private: bool = False
    game: str | None = None
    keys: dict[str, str] = {}
    starter: Starter | None = None


def start(states: States, stream: str, wanted: Wanted, terms: MatchTerms) -> list[Draft]:
    """
    Start a match.

    Raises:
        Invalid: something about it is outside its limits.
        NotFound: one of the players was never seen.
        NotAllowed: over a network: the starter is not one of the players.
        Conflict: over a network: a player is not connected, or too many matches go on.
    """
    _check_wanted(wanted, terms)
    for player in wanted.players:
        if not states.entry(f"user/{player}").head:
            raise NotFound(f"There is no user {shown(player)}.")
    begun_by, more = _check_starter(states, wanted, terms)
    present = [player for player in wanted.players if terms.online(player)]
    seconds = [] if wanted.rules.seconds_max is None else [wanted.rules.seconds_max]
    if not present:
        seconds.append(terms.grace.total_seconds())
    due = states.now + timedelta(seconds=min(seconds)) if seconds else None
    started = e.Started(
        wanted.players,
        wanted.rules,
        wanted.board,
        wanted.referee,
        wanted.private,
        wanted.game,
        present,
        wanted.keys,
        asked=msgspec.UNSET if wanted.starter is None else False,
    )
    links = ending.begin_links(
        stream, wanted.players, private=wanted.private, begun_by=(*wanted.keys, *begun_by)
    )
    return [Draft(stream, started), *links, *more, Draft(MATCH_SCHEDULE, Scheduled(stream, due))]


def check_begun(states: States, user: str, matches_max: int) -> None:
    """
    Check how many matches go on that a user has begun.

    Matches that others have started with them do not count: nobody is to use up another's.

    Raises:
        Conflict: as many as may.
    """
    links = states.of(Links, f"user/{user}").links
    begun = sum(mark == ending.BEGUN and to.startswith("match/") for to, mark in links.items())
    if begun >= matches_max:
        raise Conflict(f"You have {matches_max} matches going on; end one of them first.")


def _check_starter(
    states: States, wanted: Wanted, terms: MatchTerms
) -> tuple[Sequence[str], Sequence[Draft]]:
    starter = wanted.starter
    if starter is None:
        return (), ()
    user = starter.maker.user
    if user not in wanted.players:
        raise NotAllowed("Over a network you start matches that you play in; add yourself.")
    for player in wanted.players:
        if player != user and not terms.online(player):
            raise Conflict(f"{shown(player)} is not connected; start the match when they are.")
    check_begun(states, user, starter.matches_max)
    board = made_by(states, board_stream(wanted.board), starter.maker)
    return (user,), board


def score(  # noqa: PLR0913
    states: States, stream: str, by: str, player: str, points: object, terms: MatchTerms
) -> list[Draft]:
    """Give a player points, and end the match if that decides it."""
    match = states.of(MatchState, stream)
    match.check_scorer(by, player)
    if type(points) is not int or not 0 <= points <= POINTS_MAX:
        raise Invalid(f"Points are a whole number up to {POINTS_MAX:,}, not {shown(points)}.")
    match.check_playing(player)
    match.rules.check_turn(points, match.turns[player])
    scored = [Draft(stream, e.Scored(player, points))]
    if match.rules.goes_on(match.scores[player] + points):
        return scored
    standing = match.standing(states.now)
    if standing.time_is_up:
        # The alarm that ends it has not rung yet.
        raise Conflict("The time of this match is up.")
    standing.scores[player] += points
    standing.turns[player] += 1
    return scored + _conclude(states, stream, _with_act(match, by), standing, terms)


def found(
    states: States, events: Sequence[Event], *, by: str, key: str, begun_max: int | None = None
) -> tuple[float, Match | None]:
    """
    Return a player's rating, and the match that was found by a key, if it goes on.

    Raises:
        Conflict: there is none, and too many others go on.
    """
    links = states.of(Links, f"user/{by}")
    streams = [stream for stream in links.links if stream.startswith("match/")]
    states.need(streams)
    for stream in streams:
        match = states.of(MatchState, stream)
        if match.keys.get(by) == key:
            return links.rating, match_of(stream, match)
    if begun_max is not None:
        check_begun(states, by, begun_max)
    return links.rating, None


def resign(states: States, *, stream: str, by: str, terms: MatchTerms) -> list[Draft]:
    """Give up."""
    match = states.of(MatchState, stream)
    match.check_player(by)
    if by in match.gone:
        return []
    match.check_active()
    standing = _without(match.standing(states.now), [by])
    gone = msgspec.structs.replace(_with_act(match, by), gone=[*match.gone, by])
    ended = _conclude(states, stream, gone, standing, terms)
    return [Draft(stream, e.Resigned()), *(ended or _wait(states, stream, gone, standing, terms))]


def look_at_match(
    states: States, stream: str, terms: MatchTerms, *, opening: bool = False
) -> list[Draft]:
    """
    Bring a match up to date with the clock and with who is connected.

    Args:
        states: what is.
        stream: the match's.
        terms: the hub's.
        opening: True when the hub was just opened: nobody could come back before.
    """
    match = states.of(MatchState, stream)
    if match.started_at is None or match.status != "active":
        scheduled = stream in states.of(Schedule, MATCH_SCHEDULE).due
        return [Draft(MATCH_SCHEDULE, Unscheduled(stream))] if scheduled else []
    found = presence(match, stream, states.now, terms.online, opening=opening)
    late = [p for p, at in found.dropped.items() if at + terms.grace <= states.now]
    away = {player: at for player, at in found.dropped.items() if player not in late}
    seen = msgspec.structs.replace(
        match, present=found.present, dropped=away, gone=[*match.gone, *late]
    )
    standing = _without(match.standing(states.now), late)
    drafts = [*found.drafts, *(Draft(stream, e.Forfeited(player)) for player in late)]
    ended = _conclude(states, stream, seen, standing, terms, waits=away)
    return drafts + (ended or _wait(states, stream, seen, standing, terms))


def hear(states: States, stream: str, player: str) -> list[Draft]:
    """Note that a player takes part, whose message the game of a match is about to handle."""
    match = states.of(MatchState, stream)
    heard = match.status == "active" and player in match.silent()
    return [Draft(stream, e.Returned(player, acted=True))] if heard else []


def tell(states: States, stream: str, body: dict[str, Any]) -> list[Draft]:
    """Say something to those who follow a match."""
    states.of(MatchState, stream).check_active()
    return [Draft(stream, e.Told(body))]


def cancel(states: States, stream: str, reason: str) -> list[Draft]:
    """End a match without a result; if it is over already, nothing happens."""
    match = states.of(MatchState, stream)
    match.check_exists()
    return ending.cancel_drafts(states, stream, match, reason) if match.status == "active" else []


def _check_wanted(wanted: Wanted, terms: MatchTerms) -> None:
    players = wanted.players
    good = isinstance(players, list) and all(isinstance(player, str) for player in players)
    if not good or not 2 <= len(players) <= PLAYERS_MAX or len(set(players)) < len(players):
        raise Invalid(f"A match has 2 to {PLAYERS_MAX} different players, not {shown(players)}.")
    if any(len(player) > terms.chars_max for player in players):
        raise NotFound(f"A user's id has up to {terms.chars_max} characters; name users who exist.")
    rules = check_rules(wanted.rules)
    if isinstance(rules, Custom):
        decider(rules, terms.games)
    game, referee = wanted.game, wanted.referee
    if game is not None and not (isinstance(game, str) and game in terms.games):
        raise Invalid(f"There is no game {shown(game)}; there are {', '.join(terms.games)}.")
    if referee is not None and not (isinstance(referee, str) and len(referee) <= terms.chars_max):
        raise Invalid(f"A referee is a user's id, not {shown(referee)}.")
    if not isinstance(wanted.private, bool):
        raise Invalid(f"A match is private or not: True or False, not {shown(wanted.private)}.")


def _conclude(  # noqa: PLR0913
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
    if ended is None:
        return []
    counted = [p for p in match.players if counts_for(match, p)]
    if len(counted) < 2 or (ended.winner is not None and ended.winner not in counted):
        reason = NOBODY_CAME if match.asked else NOBODY_ACTED
        return ending.cancel_drafts(states, stream, match, reason)
    rated = ending.Counted(counted, terms.rated_max)
    return ending.complete(states, stream, match, standing, ended, terms.win_points, rated)


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


def _wait(
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


def _with_act(match: MatchState, by: str) -> MatchState:
    """Return a match as it will be once a player's act is written."""
    if match.asked or by not in match.scores:
        return match
    return msgspec.structs.replace(match, acted={*match.acted, by})


def _without(standing: Standing, leaving: Sequence[str]) -> Standing:
    players = [player for player in standing.players if player not in leaving]
    return msgspec.structs.replace(standing, players=players)
