"""The decisions about matches. Pure: they take states and return drafts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec

from ...errors import Conflict, Invalid, NotAllowed, NotFound
from ...journal.decide.states import States
from ...journal.event import Draft, Event
from ...journal.schedule import schedule_entry, scheduled, unscheduled
from ...players import PlayerLinks, ToldPlayer
from ...shown import shown
from ...stream_names import user_stream
from .. import events as e
from ..boards.commands import Maker, made_by
from ..boards.stream import board_stream
from . import ending
from .ending import MATCH_SCHEDULE
from .game import PLAYERS_MAX, decider
from .leaving import presence
from .match import Match, MatchState, is_match, match_of
from .results import end_if_decided, result_drafts, wait, without
from .rules import POINTS_MAX, AnyRules, Custom, Outcome, check_rules
from .terms import MatchTerms

__all__ = [
    "NewMatch",
    "Starter",
    "cancel",
    "check_begun",
    "check_submitter",
    "finish",
    "found",
    "hear",
    "look_at_match",
    "resign",
    "score",
    "start",
    "tell",
    "tell_player",
]


class Starter(msgspec.Struct, frozen=True):
    """
    A user who starts a match over a network.

    Args:
        maker: creates the match's board, if it does not exist.
        matches_max: the number of running matches that the user has begun.
    """

    maker: Maker
    matches_max: int


class NewMatch(msgspec.Struct, frozen=True):
    """A match to start; see :meth:`hubbub.games.service.Games.start_match`."""

    players: list[str]
    rules: AnyRules
    board: str
    referee: str | None = None
    private: bool = False
    game: str | None = None
    keys: dict[str, str] = {}
    starter: Starter | None = None


def start(states: States, stream: str, wanted: NewMatch, terms: MatchTerms) -> list[Draft]:
    """
    Start a match.

    Raises:
        Invalid: an argument is outside its limits.
        NotFound: a player does not exist.
        NotAllowed: over a network: the starter is not one of the players.
        Conflict: over a network: a player is not connected, or too many matches are running.
    """
    _check_wanted(wanted, terms)
    for player in wanted.players:
        if not states.entry(user_stream(player)).head:
            raise NotFound(f"There is no user {shown(player)}; check the id.")
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
        node=terms.node if terms.node and terms.runs(wanted.game) else msgspec.UNSET,
    )
    links = ending.begin_links(
        stream, wanted.players, private=wanted.private, begun_by=(*wanted.keys, *begun_by)
    )
    return [Draft(stream, started), *links, *more, scheduled(MATCH_SCHEDULE, stream, due)]


def check_begun(states: States, user: str, matches_max: int) -> None:
    """
    Check how many running matches a user has begun.

    Matches that other users have started with them do not count.

    Raises:
        Conflict: there are too many.
    """
    links = states.of(PlayerLinks, user_stream(user)).links
    begun = sum(mark == ending.BEGUN and is_match(to) for to, mark in links.items())
    if begun >= matches_max:
        raise Conflict(f"You have {matches_max} running matches; finish one of them first.")


def _check_starter(
    states: States, wanted: NewMatch, terms: MatchTerms
) -> tuple[Sequence[str], Sequence[Draft]]:
    starter = wanted.starter
    if starter is None:
        return (), ()
    user = starter.maker.user
    if user not in wanted.players:
        raise NotAllowed(
            "Over a network you can only start matches that you play in; add yourself."
        )
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
        raise Invalid(f"Points must be a whole number up to {POINTS_MAX:,}, not {shown(points)}.")
    match.check_playing(player)
    match.rules.check_turn(points, match.turns[player])
    scored = [Draft(stream, e.Scored(player, points))]
    if match.rules.goes_on(match.scores[player] + points):
        return scored
    standing = match.standing(states.now)
    if standing.time_is_up:
        # The timer that ends it has not fired yet.
        raise Conflict("The time of this match is up.")
    standing.scores[player] += points
    standing.turns[player] += 1
    return scored + end_if_decided(states, stream, _with_act(match, by), standing, terms)


def found(  # noqa: PLR0913
    states: States,
    events: Sequence[Event],
    *,
    by: str,
    key: str,
    begun_max: int | None = None,
    game: str | None = None,
) -> tuple[float, Match | None]:
    """
    Return a player's rating, and the running match that a key's search has found.

    Args:
        states: the states to decide on.
        events: the events of the command; not used.
        by: the player.
        key: the key of the search.
        begun_max: the number of other matches that the player can have begun; None for any.
        game: if given, a match of this game that any search has found is as good, unless the
            player has left it.

    Raises:
        Conflict: there is none, and too many other matches are running.
    """
    links = states.of(PlayerLinks, user_stream(by))
    streams = [stream for stream in links.links if is_match(stream)]
    states.need(streams)
    matches = {stream: states.of(MatchState, stream) for stream in streams}
    for stream, match in matches.items():
        if match.keys.get(by) == key:
            return links.rating, match_of(stream, match)
    if game is not None:
        for stream, match in matches.items():
            if match.game == game and match.keys.get(by) and by not in match.gone:
                return links.rating, match_of(stream, match)
    if begun_max is not None:
        check_begun(states, by, begun_max)
    return links.rating, None


def resign(states: States, *, stream: str, by: str, terms: MatchTerms) -> list[Draft]:
    """Resign."""
    match = states.of(MatchState, stream)
    match.check_player(by)
    if by in match.gone:
        return []
    match.check_active()
    standing = without(match.standing(states.now), [by])
    gone = msgspec.structs.replace(_with_act(match, by), gone=[*match.gone, by])
    ended = end_if_decided(states, stream, gone, standing, terms)
    return [Draft(stream, e.Resigned()), *(ended or wait(states, stream, gone, standing, terms))]


def look_at_match(
    states: States, stream: str, terms: MatchTerms, *, opening: bool = False
) -> list[Draft]:
    """
    Bring a match up to date with the clock and with the connected users.

    Args:
        states: the states to decide on.
        stream: the match's stream.
        terms: the hub's terms.
        opening: True when the hub has just opened: nobody could reconnect before.
    """
    match = states.of(MatchState, stream)
    if match.started_at is None or match.status != "active":
        known, _ = schedule_entry(states, MATCH_SCHEDULE, stream)
        return [unscheduled(MATCH_SCHEDULE, stream)] if known else []
    known = terms.knows_presence()
    found = presence(match, stream, states.now, terms.online, opening=opening, known=known)
    late = [p for p, at in found.dropped.items() if at + terms.grace <= states.now]
    away = {player: at for player, at in found.dropped.items() if player not in late}
    seen = msgspec.structs.replace(
        match, present=found.present, dropped=away, gone=[*match.gone, *late]
    )
    standing = without(match.standing(states.now), late)
    drafts = [*found.drafts, *(Draft(stream, e.Forfeited(player)) for player in late)]
    ended = end_if_decided(states, stream, seen, standing, terms, waits=away)
    return drafts + (ended or wait(states, stream, seen, standing, terms))


def hear(states: States, stream: str, player: str) -> list[Draft]:
    """Record that a player takes part: the match's game is about to handle their message."""
    match = states.of(MatchState, stream)
    heard = match.status == "active" and player in match.silent()
    return [Draft(stream, e.Returned(player, acted=True))] if heard else []


def tell(states: States, stream: str, body: dict[str, Any]) -> list[Draft]:
    """Send a message to the followers of a match."""
    states.of(MatchState, stream).check_active()
    return [Draft(stream, e.Told(body))]


def tell_player(states: States, stream: str, player: object, body: dict[str, Any]) -> list[Draft]:
    """Send a message to one player, in the stream that only they can read."""
    match = states.of(MatchState, stream)
    match.check_active()
    return [Draft(user_stream(_player_of(match, player)), ToldPlayer(stream, body))]


def finish(states: States, stream: str, winner: object, terms: MatchTerms) -> list[Draft]:
    """
    End a match with the winner that its game names; None for a draw.

    Raises:
        Invalid: the winner does not play, or has resigned or forfeited.
        Conflict: the match is over.
    """
    match = states.of(MatchState, stream)
    match.check_active()
    standing, won = match.standing(states.now), None
    if winner is not None:
        won = _player_of(match, winner)
        if won not in standing.players:
            raise Invalid(f"{shown(won)} has resigned or forfeited; name a player who is left.")
    return result_drafts(states, stream, match, standing, Outcome(won), terms)


def check_submitter(states: States, stream: str, player: object) -> str:
    """Return the player of a match for whom its game submits a score; or raise Invalid."""
    return _player_of(states.of(MatchState, stream), player)


def cancel(states: States, stream: str, reason: str) -> list[Draft]:
    """End a match without a result; if it is over, nothing happens."""
    match = states.of(MatchState, stream)
    match.check_exists()
    return ending.cancel_drafts(states, stream, match, reason) if match.status == "active" else []


def _player_of(match: MatchState, player: object) -> str:
    match.check_exists()
    if not isinstance(player, str) or player not in match.scores:
        raise Invalid(f"{shown(player)} does not play in this match; name one of its players.")
    return player


def _check_wanted(wanted: NewMatch, terms: MatchTerms) -> None:
    players = wanted.players
    good = isinstance(players, list) and all(isinstance(player, str) for player in players)
    if not good or not 2 <= len(players) <= PLAYERS_MAX or len(set(players)) < len(players):
        raise Invalid(
            f"A match must have 2 to {PLAYERS_MAX} different players, not {shown(players)}."
        )
    if any(len(player) > terms.chars_max for player in players):
        raise NotFound(f"A user id has up to {terms.chars_max} characters; name users who exist.")
    rules = check_rules(wanted.rules)
    if isinstance(rules, Custom):
        decider(rules, terms.games)
    game, referee = wanted.game, wanted.referee
    if game is not None and not (isinstance(game, str) and game in terms.games):
        raise Invalid(f"There is no game {shown(game)}; use one of {', '.join(terms.games)}.")
    if referee is not None and not (isinstance(referee, str) and len(referee) <= terms.chars_max):
        raise Invalid(f"referee must be a user's id, not {shown(referee)}.")
    if not isinstance(wanted.private, bool):
        raise Invalid(f"private must be True or False, not {shown(wanted.private)}.")


def _with_act(match: MatchState, by: str) -> MatchState:
    """Return a match as it will be once a player's act is written."""
    if match.asked or by not in match.scores:
        return match
    return msgspec.structs.replace(match, acted={*match.acted, by})
