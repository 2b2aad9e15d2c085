"""The terms of a hub's matches, and how a game changes them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

import msgspec

from .game import Game

__all__ = ["MatchTerms"]

# For a match without a game, or with a game that the hub no longer has.
_ANY = Game()


class MatchTerms(msgspec.Struct, frozen=True):
    """
    The terms of all matches of a hub.

    Args:
        games: the games of the application.
        online: returns whether a user is connected now.
        grace: how long a player can be disconnected.
        win_points: the points for the winner on the board.
        idle: how long a match continues without a connected player, if any player has acted.
        rated_max: the number of rated matches a day between the same two players.
        chars_max: the longest user id.
        node: this node, which runs the matches that it starts.
        knows_presence: returns False while users may be connected to other nodes without this
            node knowing.
    """

    games: Mapping[str, Game]
    online: Callable[[str], bool]
    grace: timedelta
    win_points: int
    idle: timedelta = timedelta(days=1)
    rated_max: int = 5
    chars_max: int = 100
    node: str = ""
    knows_presence: Callable[[], bool] = lambda: True

    def win_points_of(self, game: str | None) -> int:
        """Return the points for the winner of a game's match on its board."""
        own = self._game(game).win_points
        return self.win_points if own is None else own

    def rated_max_of(self, game: str | None) -> int:
        """Return the daily number of rated matches between two players of a game; 0 for none."""
        return self.rated_max if self._game(game).rated else 0

    def runs(self, game: str | None) -> bool:
        """Return whether the hub runs the matches of a game."""
        return self._game(game).handler is not None

    def _game(self, name: str | None) -> Game:
        return self.games.get(name, _ANY) if name is not None else _ANY
