"""Games: matches, matchmaking and leaderboards."""

from __future__ import annotations

from ..feature import Erasure, Feature
from ..quotas import Quota
from .boards.board import BoardState
from .events import Submitted
from .grants import GAMES_GRANTS, GAMES_READERS
from .matches.match import MatchState
from .matches.supervisor import MatchSupervisor
from .matchmaking.queue import QueueState
from .runtime import supervising
from .service import Games

__all__ = ["GAMES"]

BOARDS = Quota("new boards", "boards_per_user")
MATCHES = Quota("new matches", "matches_per_user")
SCORES = Quota("scores", "score_limit", "change_period")


def _without_nickname(data: Submitted, user: str) -> Submitted:
    # A match that another player ended has the scores of all its players.
    return Submitted(data.user, data.score) if data.user == user else data


GAMES = Feature(
    name="games",
    service=Games,
    streams={"match": MatchState, "board": BoardState, "queue": QueueState},
    runtime=supervising,
    options=frozenset({"games"}),
    grants=GAMES_GRANTS,
    readers=GAMES_READERS,
    quotas={
        "games.create_board": BOARDS,
        "games.start_match": MATCHES,
        "games.find_match": MATCHES,
        "games.submit": SCORES,
    },
    erasure=Erasure({Submitted: _without_nickname}),
    connected=MatchSupervisor.presence_changed,
)
