"""The end of a match, written into every stream that records it, all at once. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from ...journal.decide.states import States
from ...journal.event import Data, Draft
from ...journal.link import Linked, Links, Unlinked
from ...journal.schedule import unscheduled
from ...journal.shards import stream_shard
from ...players import PlayerLinks, Rated
from ...stream_names import user_stream
from .. import events as e
from ..boards.commands import win
from ..boards.stream import board_stream
from .match import MatchState
from .rating import Rating, rate
from .rules import Outcome, Standing

__all__ = [
    "BEGUN",
    "MATCH_INDEX",
    "MATCH_SCHEDULE",
    "Counted",
    "begin_links",
    "cancel_drafts",
    "complete",
    "ranks",
]

# The active public matches, in shards; earlier releases wrote all of them to this stream itself.
MATCH_INDEX = "index/matches"
MATCH_SCHEDULE = "agenda/matches"
# The mark of a link to a match that the user has begun; for other users it is 0.
BEGUN = 1


class Counted(msgspec.Struct, frozen=True):
    """
    The players whose ratings a match can change.

    Args:
        players: the players who took part.
        matches_max: the number of rated matches a day between the same two players; 0 for none.
    """

    players: Collection[str]
    matches_max: int


def begin_links(
    stream: str, players: Sequence[str], *, private: bool, begun_by: Collection[str] = ()
) -> list[Draft]:
    """
    Link a running match from the streams that list it.

    Args:
        stream: the match's stream.
        players: the players' ids.
        private: True if only they can follow it.
        begun_by: the players who started it over a network, or by a search.
    """
    links = [
        Draft(user_stream(player), Linked(stream, BEGUN if player in begun_by else 0))
        for player in players
    ]
    return links if private else [*links, Draft(stream_shard(MATCH_INDEX, stream), Linked(stream))]


def complete(  # noqa: PLR0913
    states: States,
    stream: str,
    match: MatchState,
    standing: Standing,
    outcome: Outcome,
    win_points: int,
    counted: Counted,
) -> list[Draft]:
    """End a match with a result, including the winner's points and everyone's rating."""
    ended = _end(states, stream, match, e.Completed(outcome.winner, standing.scores))
    if outcome.winner is not None and win_points:
        ended += win(states, board_stream(match.board), outcome.winner, win_points)
    return ended + _ratings(states, match, ranks(match, standing, outcome), counted)


def cancel_drafts(states: States, stream: str, match: MatchState, reason: str) -> list[Draft]:
    """End a match without a result."""
    return _end(states, stream, match, e.MatchCancelled(reason))


def _end(states: States, stream: str, match: MatchState, data: Data) -> list[Draft]:
    drafts = [Draft(stream, data), unscheduled(MATCH_SCHEDULE, stream)]
    holders = [user_stream(player) for player in match.players]
    if not match.private:
        shard = stream_shard(MATCH_INDEX, stream)
        holders.append(shard if stream in states.of(Links, shard).links else MATCH_INDEX)
    linked = [one for one in holders if stream in states.of(Links, one).links]
    return drafts + [Draft(holder, Unlinked(stream)) for holder in linked]


def _ratings(
    states: States, match: MatchState, places: Sequence[int], counted: Counted
) -> list[Draft]:
    if not counted.matches_max:
        return []
    players = [player for player in match.players if player in counted.players]
    users = [states.of(PlayerLinks, user_stream(player)) for player in players]
    for user in users:
        # Without a limit, a user with two accounts could move ratings without end.
        if any(user.rated_with(p, states.now) >= counted.matches_max for p in players):
            return []
    before = [Rating(user.rating, user.deviation) for user in users]
    after = rate(before, [places[match.players.index(player)] for player in players])
    return [
        Draft(
            user_stream(player),
            Rated(one.rating, one.deviation, [other for other in players if other != player]),
        )
        for player, one in zip(players, after, strict=True)
    ]


def ranks(match: MatchState, standing: Standing, outcome: Outcome) -> list[int]:
    """
    Return each player's place in a match, 1 for the best.

    The winner comes first, then the players who stayed, by their points, then the
    players who resigned, the last to do so first.
    """

    def key(player: str) -> tuple[int, int]:
        if player == outcome.winner:
            return (0, 0)
        if player in standing.players:
            return (1, -standing.scores[player])
        left = [*match.gone, *(p for p in match.players if p not in match.gone)]
        return (2, -left.index(player))

    keys = [key(player) for player in match.players]
    return [1 + sum(other < one for other in keys) for one in keys]
