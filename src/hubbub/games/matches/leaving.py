"""
Which players have left a match, and whether a player is left who could win it. Pure.

A player who was connected and no longer is has dropped, and forfeits after the grace period. A
player who has never connected can take their time as long as another player is there; but they
cannot win, because nobody has played against them, and nobody wins against them. A match in which
no remaining player could return in time is cancelled.

In a match that a user starts over a network, connecting is not enough: the other players
have not agreed to play. There a player takes part from when they act.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from ...journal.event import Draft
from ...journal.schedule import HUB
from .. import events as e
from .match import MatchState
from .rules import Standing

__all__ = ["PlayerPresence", "abandoned_at", "counts_for", "is_rated", "presence", "took_part"]


class PlayerPresence(msgspec.Struct, frozen=True):
    """
    The presence of a match's players.

    Args:
        drafts: the events to write about it.
        present: the players who were connected at some time since the match began.
        dropped: the players of these who are not connected now -> since when.
    """

    drafts: list[Draft]
    present: set[str]
    dropped: dict[str, datetime]


def presence(  # noqa: PLR0913
    match: MatchState,
    stream: str,
    now: datetime,
    online: Callable[[str], bool],
    *,
    opening: bool,
    known: bool = True,
) -> PlayerPresence:
    """
    Compare the presence recorded in a match with the connected users.

    Args:
        match: the match.
        stream: the match's stream.
        now: UTC.
        online: returns whether a user is connected now.
        opening: True when the hub has just opened: no player could reconnect before.
        known: False if other nodes may have connected users that this node does not know: then
            no player drops or forfeits, and the hub looks again after the grace period.
    """
    drafts, present, dropped = list[Draft](), set(match.present), dict(match.dropped)
    for player in match.players:
        if player in match.gone:
            dropped.pop(player, None)
        elif online(player):
            if dropped.pop(player, None) is not None or player not in present:
                drafts.append(Draft(stream, e.Returned(player)))
                present.add(player)
        elif player in present and not known:
            dropped[player] = now
        elif player in present and (opening or player not in dropped):
            drafts.append(Draft(stream, e.Dropped(player)))
            dropped[player] = now
    return PlayerPresence(drafts, present, dropped)


def took_part(match: MatchState, player: str) -> bool:
    """
    Return whether a player has taken part: has connected, scored, or asked for this match.

    Over HTTP a user can start a match, search for one and score without being connected. A
    player named by another user over a network takes part only by acting.
    """
    if not match.asked:
        return player not in match.silent()
    if player in match.present or player in match.keys or player == match.by:
        return True
    return bool(match.turns[player])


def counts_for(match: MatchState, player: str) -> bool:
    """
    Return whether a result against a player counts.

    A referee of the application vouches for the players, who may be connected to the
    application and not to the hub. A referee named by a player over a network does not.
    """
    refereed = match.asked and match.referee not in (None, HUB)
    return refereed or took_part(match, player)


def is_rated(match: MatchState) -> bool:
    """
    Return whether a match can change ratings: matchmaking made it, or it has a referee.

    Players who choose one another and count their own points could agree on any result. A
    player who is the referee of their own match does not count as a referee.
    """
    return bool(match.keys) or match.referee not in (None, *match.players)


def abandoned_at(
    match: MatchState,
    standing: Standing,
    *,
    began: datetime,
    grace: timedelta,
    idle: timedelta,
) -> datetime | None:
    """
    Return when to cancel a match if nothing happens; None if a player is there.

    Players who have dropped forfeit individually; this is about players who never connected.

    Args:
        match: the match as it will be.
        standing: the players who still play.
        began: when it began, UTC.
        grace: how long a player can be disconnected.
        idle: how long nothing has to happen, if a player has taken part without connecting.
    """
    if any(player in match.present for player in standing.players):
        return None
    refereed = match.referee not in (None, HUB) and not match.gone
    if refereed or any(took_part(match, player) for player in standing.players):
        return max(began, match.scored_at or began) + idle
    return began + grace
