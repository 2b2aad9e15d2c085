"""What is fixed for the matches of a hub, and what a game has of its own. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

import msgspec

from .game import Game

__all__ = ["MatchTerms"]

# A match that is of no game, or of one that the hub is not given any more.
_ANY = Game()


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

    def win_points_of(self, game: str | None) -> int:
        """Return what the winner of a game's match gets on its board."""
        own = self._game(game).win_points
        return self.win_points if own is None else own

    def rated_max_of(self, game: str | None) -> int:
        """Return how many rated matches of a day let one more of a game be rated; 0 is none."""
        return self.rated_max if self._game(game).rated else 0

    def _game(self, name: str | None) -> Game:
        return self.games.get(name, _ANY) if name is not None else _ANY
