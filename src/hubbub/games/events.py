"""The events of a match and of a board. The tags are the types on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from msgspec import UNSET, UnsetType

from ..journal.event import Data
from .matches.rules import AnyRules

__all__ = [
    "BoardCreated",
    "BoardEvent",
    "BoardOrder",
    "Completed",
    "Dropped",
    "Forfeited",
    "MatchCancelled",
    "MatchClaimed",
    "MatchEvent",
    "Matched",
    "Operator",
    "Reset",
    "Resigned",
    "Returned",
    "Scored",
    "SearchBegan",
    "SearchCancelled",
    "SearchEvent",
    "Started",
    "Submitted",
    "Told",
]

Operator = Literal["best", "sum", "latest"]
BoardOrder = Literal["desc", "asc"]


class Started(Data, frozen=True, tag="started"):
    """The match began; ``present`` are the players who were connected."""

    players: list[str]
    rules: AnyRules
    board: str
    referee: str | None = None
    private: bool = False
    game: str | None = None
    present: list[str] = []
    # For a match made by matchmaking: a player -> the key of their search.
    keys: dict[str, str] = {}
    # False if one of the players started it over a network: the others have not agreed to play, so
    # they take part only when they act.
    asked: bool | UnsetType = UNSET
    # The node that runs the match, if the hub runs it.
    node: str | UnsetType = UNSET


class MatchClaimed(Data, frozen=True, tag="match_claimed"):
    """Another node runs the match from now on: ``node``."""

    node: str


class Scored(Data, frozen=True, tag="scored"):
    """A player got points."""

    player: str
    points: int


class Resigned(Data, frozen=True, tag="resigned"):
    """``by`` resigned."""


class Dropped(Data, frozen=True, tag="dropped"):
    """A player is no longer connected, and forfeits after the grace period."""

    player: str


class Returned(Data, frozen=True, tag="returned", omit_defaults=True):
    """A player connected, for the first time or again; with ``acted``, by a message or score."""

    player: str
    acted: bool = False


class Forfeited(Data, frozen=True, tag="forfeited"):
    """A player was disconnected for too long."""

    player: str


class Told(Data, frozen=True, tag="told"):
    """The match's game sent a message to all followers."""

    body: dict[str, Any]


class Completed(Data, frozen=True, tag="completed"):
    """The match is over; without a winner it is a draw."""

    winner: str | None
    scores: dict[str, int]


class MatchCancelled(Data, frozen=True, tag="cancelled"):
    """The match ended without a result."""

    reason: str


class BoardCreated(Data, frozen=True, tag="created"):
    """The board was created, and its first season began."""

    operator: Operator
    order: BoardOrder
    reset: str | None = None


class Submitted(Data, frozen=True, tag="submitted"):
    """A user submitted a score; ``nickname`` is None if it is the id."""

    user: str
    score: int | float
    nickname: str | None = None
    metadata: dict[str, Any] | None = None


class Reset(Data, frozen=True, tag="reset"):
    """A season ended, and the next one began empty."""

    season: int
    ended_at: datetime


class SearchBegan(Data, frozen=True, tag="search_began"):
    """A user searches for a match, or continues a search at another node: ``node``."""

    user: str
    key: str
    rating: float
    node: str


class SearchCancelled(Data, frozen=True, tag="search_cancelled"):
    """A user no longer searches."""

    user: str


class Matched(Data, frozen=True, tag="matched"):
    """Users were matched with one another, and play the match with the stream ``to``."""

    to: str
    players: list[str]


MatchEvent = (
    Started
    | Scored
    | Resigned
    | Dropped
    | Returned
    | Forfeited
    | Told
    | MatchClaimed
    | Completed
    | MatchCancelled
)
SearchEvent = SearchBegan | SearchCancelled | Matched
BoardEvent = BoardCreated | Submitted | Reset
