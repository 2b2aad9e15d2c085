"""
Which players are gone from a match, and whether a player is left who could win it. Pure.

A player who was connected and is not any more has dropped, and forfeits after the grace. A
player who has never come is waited for as long as another player is there; but they cannot
win, for nobody has played against them, and nobody wins against them. A match in which
no player is left who could return in time is cancelled.

In a match that a user starts over a network, to be connected is not to have come: the
others never said that they want to play. There a player has come when they have acted.
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
    Where each of a match's players is.

    Args:
        drafts: what is to be written about it.
        present: those who were connected at some time since the match began.
        dropped: the players of these who are not connected now -> since when.
    """

    drafts: list[Draft]
    present: set[str]
    dropped: dict[str, datetime]


def presence(
    match: MatchState, stream: str, now: datetime, online: Callable[[str], bool], *, opening: bool
) -> PlayerPresence:
    """
    Compare what a match knows of its players with who is connected.

    Args:
        match: as it is.
        stream: the match's.
        now: UTC.
        online: tells whether a user is connected just now.
        opening: True when the hub was just opened: no player could return before.
    """
    drafts, present, dropped = list[Draft](), set(match.present), dict(match.dropped)
    for player in match.players:
        if player in match.gone:
            dropped.pop(player, None)
        elif online(player):
            if dropped.pop(player, None) is not None or player not in present:
                drafts.append(Draft(stream, e.Returned(player)))
                present.add(player)
        elif player in present and (opening or player not in dropped):
            drafts.append(Draft(stream, e.Dropped(player)))
            dropped[player] = now
    return PlayerPresence(drafts, present, dropped)


def took_part(match: MatchState, player: str) -> bool:
    """
    Tell whether a player has come: was connected, scored, or asked for this match.

    Over HTTP a user can start a match, look for one and score without being connected. A
    player whom another has named over a network takes part by acting only.
    """
    if not match.asked:
        return player not in match.silent()
    if player in match.present or player in match.keys or player == match.by:
        return True
    return bool(match.turns[player])


def counts_for(match: MatchState, player: str) -> bool:
    """
    Tell whether a result against a player counts.

    A referee of the application's answers for the players, who may have come to the
    application and not to the hub. A referee whom a player names over a network does not.
    """
    refereed = match.asked and match.referee not in (None, HUB)
    return refereed or took_part(match, player)


def is_rated(match: MatchState) -> bool:
    """
    Tell whether a match can change ratings: matchmaking made it, or it has a referee.

    Players who choose one another and count their own points could agree on any result. A
    player who is the referee of their own match is no referee.
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
    Return when a match is cancelled unless something happens; None if somebody is there.

    Those who have dropped forfeit one by one, so this is about those who never were connected.

    Args:
        match: as it will be.
        standing: the players who still play.
        began: when it began, UTC.
        grace: how long a player may be gone.
        idle: how long nothing may happen, if somebody has come without being connected.
    """
    if any(player in match.present for player in standing.players):
        return None
    refereed = match.referee not in (None, HUB) and not match.gone
    if refereed or any(took_part(match, player) for player in standing.players):
        return max(began, match.scored_at or began) + idle
    return began + grace
