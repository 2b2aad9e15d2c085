"""The books of players: the scores that they tried, and the answers that they got. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict

from ..games.matches.match import Match

__all__ = ["MatchBooks", "Score"]

# A player and their points; no two scores of a match have the same points.
Score = tuple[str, int]
# The points of the first score of a match; each further score has one more.
POINTS_LEAST = 10


class MatchBooks:
    """
    The books of all players.

    Attributes:
        tried: a match -> the scores that were tried.
        acknowledged: a match -> the scores that the system has acknowledged.
        refused: a match -> the scores that it has refused for good.
        left: a match -> the players whose resignation it has acknowledged.
        starts: a user -> how many matches they have tried to start.
        searches: a user -> the keys of their searches.
        found: (a match, a user) -> the key of the search that has found it.
        complaints: answers that contradict one another.
    """

    def __init__(self) -> None:
        self.tried: dict[str, set[Score]] = defaultdict(set)
        self.acknowledged: dict[str, set[Score]] = defaultdict(set)
        self.refused: dict[str, set[Score]] = defaultdict(set)
        self.left: dict[str, set[str]] = defaultdict(set)
        self.starts: Counter[str] = Counter()
        self.searches: dict[str, set[str]] = defaultdict(set)
        self.found: dict[tuple[str, str], str] = {}
        self.complaints: list[str] = []
        # The matches that somebody has seen, as they were when somebody saw them last.
        self.seen: dict[str, Match] = {}
        # (a match, a user) for which the match is over.
        self._over: set[tuple[str, str]] = set()

    def running(self, user: str) -> list[str]:
        """Return the matches that a user can play in, as far as they know."""
        return [
            match.id
            for match in self.seen.values()
            if match.status == "active"
            and user in match.players
            and user not in match.gone
            and (match.id, user) not in self._over
        ]

    def opponent(self, match: str, user: str) -> str:
        """Return the other player."""
        return next(player for player in self.seen[match].players if player != user)

    def new_points(self, match: str) -> int:
        """Return points that nobody has scored in a match."""
        return POINTS_LEAST + len(self.tried[match])

    def see(self, match: Match) -> None:
        """Note what a user has seen of a match."""
        before = self.seen.get(match.id)
        if before is None or before.status == "active":
            self.seen[match.id] = match
        elif match.status != "active" and _end(before) != _end(match):
            self.complaints.append(f"{match.id} ended as {_end(before)}, and as {_end(match)}.")

    def close(self, match: str, user: str) -> None:
        """Note that the system has refused a user for good."""
        self._over.add((match, user))


def _end(match: Match) -> object:
    return match.status, match.winner, match.scores
