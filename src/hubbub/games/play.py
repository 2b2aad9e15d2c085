"""What is decided in a match. Pure: it asks the states, and returns drafts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from ..errors import Conflict, Invalid, NotFound
from ..journal.agenda import Agenda, Planned, Settled
from ..journal.event import Draft, Event
from ..journal.link import Links
from ..journal.states import States
from . import ending
from . import events as e
from .ending import AGENDA
from .game import PLAYERS_MAX, Game, decider, outcome
from .match import Match, MatchState, match_of
from .rules import POINTS_MAX, AnyRules, Custom, Outcome, Standing, check_rules

__all__ = ["Terms", "Wanted", "cancel", "found", "look", "resign", "score", "start", "tell"]


class Terms(msgspec.Struct, frozen=True):
    """
    What all matches of a hub have in common.

    Args:
        games: what the application has brought.
        online: tells whether a user is connected just now.
        grace: how long a player may be gone.
        win_points: what the board gives to the winner.
    """

    games: Mapping[str, Game]
    online: Callable[[str], bool]
    grace: timedelta
    win_points: int


class Wanted(msgspec.Struct, frozen=True):
    """A match to be started; see :meth:`hubbub.games.service.Games.start_match`."""

    players: list[str]
    rules: AnyRules
    board: str
    referee: str | None = None
    private: bool = False
    game: str | None = None
    keys: dict[str, str] = {}


def start(states: States, stream: str, wanted: Wanted, terms: Terms) -> list[Draft]:
    """Start a match."""
    _check_wanted(wanted, terms)
    for player in wanted.players:
        if not states.cell(f"user/{player}").head:
            raise NotFound(f"There is no user {player!r}.")
    seconds = wanted.rules.seconds_max
    due = None if seconds is None else states.now + timedelta(seconds=seconds)
    started = e.Started(
        wanted.players,
        wanted.rules,
        wanted.board,
        wanted.referee,
        wanted.private,
        wanted.game,
        [player for player in wanted.players if terms.online(player)],
        wanted.keys,
    )
    links = ending.begin_links(stream, wanted.players, private=wanted.private)
    return [Draft(stream, started), *links, Draft(AGENDA, Planned(stream, due))]


def score(  # noqa: PLR0913
    states: States, stream: str, by: str, player: str, points: object, terms: Terms
) -> list[Draft]:
    """Give a player points, and end the match if that decides it."""
    match = states.of(MatchState, stream)
    match.check_scorer(by, player)
    if type(points) is not int or not 0 <= points <= POINTS_MAX:
        raise Invalid(f"Points are a whole number up to {POINTS_MAX:,}, not {points!r}.")
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
    return scored + _conclude(states, stream, match, standing, terms)


def found(
    states: States, events: Sequence[Event], *, by: str, key: str
) -> tuple[float, Match | None]:
    """Return a player's rating, and the match that was found by a key, if it goes on."""
    links = states.of(Links, f"user/{by}")
    for stream in links.links:
        if stream.startswith("match/"):
            match = states.of(MatchState, stream)
            if match.keys.get(by) == key:
                return links.rating, match_of(stream, match)
    return links.rating, None


def resign(states: States, *, stream: str, by: str, terms: Terms) -> list[Draft]:
    """Give up."""
    match = states.of(MatchState, stream)
    match.check_player(by)
    if by in match.gone:
        return []
    match.check_active()
    standing = _without(match.standing(states.now), [by])
    return [Draft(stream, e.Resigned()), *_conclude(states, stream, match, standing, terms, by)]


def look(states: States, stream: str, terms: Terms, *, opening: bool = False) -> list[Draft]:
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
        planned = stream in states.of(Agenda, AGENDA).due
        return [Draft(AGENDA, Settled(stream))] if planned else []
    drafts, dropped = _presence(match, stream, states.now, terms.online, opening)
    late = [player for player, at in dropped.items() if at + terms.grace <= states.now]
    drafts += [Draft(stream, e.Forfeited(player)) for player in late]
    standing = _without(match.standing(states.now), late)
    concluded = _conclude(states, stream, match, standing, terms, *late)
    return drafts + (concluded or _plan(states, stream, match, dropped, late, terms))


def tell(states: States, stream: str, body: dict[str, Any]) -> list[Draft]:
    """Say something to those who follow a match."""
    states.of(MatchState, stream).check_active()
    return [Draft(stream, e.Told(body))]


def cancel(states: States, stream: str, reason: str) -> list[Draft]:
    """End a match without a result; if it is over already, nothing happens."""
    match = states.of(MatchState, stream)
    match.check_exists()
    return ending.cancel(states, stream, match, reason) if match.status == "active" else []


def _check_wanted(wanted: Wanted, terms: Terms) -> None:
    players = wanted.players
    good = isinstance(players, list) and all(isinstance(player, str) for player in players)
    if not good or not 2 <= len(players) <= PLAYERS_MAX or len(set(players)) < len(players):
        raise Invalid(f"A match has 2 to {PLAYERS_MAX} different players, not {players!r}.")
    rules = check_rules(wanted.rules)
    if isinstance(rules, Custom):
        decider(rules, terms.games)
    if wanted.game is not None and wanted.game not in terms.games:
        raise Invalid(f"There is no game {wanted.game!r}; there are {', '.join(terms.games)}.")
    if wanted.referee is not None and not isinstance(wanted.referee, str):
        raise Invalid(f"A referee is a user's id, not {wanted.referee!r}.")


def _conclude(
    states: States,
    stream: str,
    match: MatchState,
    standing: Standing,
    terms: Terms,
    *leaving: str,
) -> list[Draft]:
    ended = _outcome(match, standing, terms)
    if ended is None:
        return []
    if not standing.players:
        return ending.cancel(states, stream, match, "Nobody is left to play.")
    match = msgspec.structs.replace(match, gone=[*match.gone, *leaving])
    return ending.complete(states, stream, match, standing, ended, terms.win_points)


def _outcome(match: MatchState, standing: Standing, terms: Terms) -> Outcome | None:
    if len(standing.players) <= 1:
        return Outcome(standing.players[0] if standing.players else None)
    return outcome(match.rules, standing, terms.games)


def _presence(
    match: MatchState,
    stream: str,
    now: datetime,
    online: Callable[[str], bool],
    opening: bool,
) -> tuple[list[Draft], dict[str, datetime]]:
    drafts, dropped = list[Draft](), dict(match.dropped)
    for player in match.players:
        if player in match.gone:
            dropped.pop(player, None)
        elif online(player):
            if dropped.pop(player, None) is not None or player not in match.present:
                drafts.append(Draft(stream, e.Returned(player)))
        elif player in match.present and (opening or player not in dropped):
            drafts.append(Draft(stream, e.Dropped(player)))
            dropped[player] = now
    return drafts, dropped


def _plan(  # noqa: PLR0913
    states: States,
    stream: str,
    match: MatchState,
    dropped: dict[str, datetime],
    late: Sequence[str],
    terms: Terms,
) -> list[Draft]:
    times = [at + terms.grace for player, at in dropped.items() if player not in late]
    if (ends_at := match.ends_at()) is not None:
        times.append(ends_at)
    due = min(times, default=None)
    agenda = states.of(Agenda, AGENDA).due
    if stream in agenda and agenda[stream] == due:
        return []
    return [Draft(AGENDA, Planned(stream, due))]


def _without(standing: Standing, leaving: Sequence[str]) -> Standing:
    players = [player for player in standing.players if player not in leaving]
    return msgspec.structs.replace(standing, players=players)
