"""A player's group among all who wait, as the decision of a search finds it."""

from __future__ import annotations

from collections.abc import Iterable

from hubbub.games.matchmaking.pool import Ticket, Widening, by_rating, group_with, place_in

__all__ = ["group_of"]


def group_of(
    ticket: Ticket, waiting: Iterable[Ticket], size: int, widening: Widening, now: float
) -> list[Ticket] | None:
    """
    Return the group in which a player can play now, if there is one.

    Args:
        ticket: the player.
        waiting: the other players; the player can be among them.
        size: the number of players in a match.
        widening: how far apart their ratings can be.
        now: the time, in seconds since the epoch.
    """
    others = sorted((one for one in waiting if one != ticket), key=by_rating)
    place = place_in(others, ticket)
    return group_with(ticket, others[:place][::-1], others[place:], size, widening, now)
