"""
Ratings: how well a user plays, after all matches so far. Pure.

Weng and Lin, "A Bayesian Approximation Method for Online Ranking", Journal of Machine
Learning Research 12 (2011): the Plackett-Luce model, as the openskill library has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from ...players import DEVIATION_AT_FIRST, RATING_AT_FIRST

if TYPE_CHECKING:
    from openskill.models import PlackettLuce

__all__ = ["Rating", "rate"]


class Rating(msgspec.Struct, frozen=True):
    """
    A player's rating.

    Args:
        rating: how well the player plays.
        deviation: its uncertainty; it shrinks with every match.
    """

    rating: float = RATING_AT_FIRST
    deviation: float = DEVIATION_AT_FIRST


def rate(before: Sequence[Rating], ranks: Sequence[int]) -> list[Rating]:
    """
    Return the ratings after a match.

    Args:
        before: the rating of each player.
        ranks: the place of each player, 1 for the best; equal ones are a draw.
    """
    model = _model()
    teams = [[model.rating(mu=one.rating, sigma=one.deviation)] for one in before]
    after = model.rate(teams, ranks=[float(rank) for rank in ranks])
    return [Rating(round(one.mu, 3), round(one.sigma, 3)) for [one] in after]


@cache
def _model() -> PlackettLuce:
    # Imported when the first match ends: the import is slow, and many hubs only chat.
    from openskill.models import PlackettLuce

    # The library's own proportions, on a scale that begins at 1500.
    return PlackettLuce(
        mu=RATING_AT_FIRST,
        sigma=DEVIATION_AT_FIRST,
        beta=DEVIATION_AT_FIRST / 2,
        tau=DEVIATION_AT_FIRST / 100,
    )
