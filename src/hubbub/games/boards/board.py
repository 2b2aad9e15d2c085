"""A leaderboard: its entries and their ranks. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

import msgspec

from ...errors import Conflict, NotFound
from ...journal.event import Event, PartedState
from ...shown import shown
from .. import events as e
from ..scores import SCORE_MAX, add_exactly, exact, rounded
from .board_parts import BoardPart, board_parts_of, restored_from
from .cursor import cursor_of
from .paging import rank_after, rank_before
from .ranking import Ranking
from .sorted_places import Place
from .stream import name_of

__all__ = [
    "Board",
    "BoardState",
    "Entry",
    "Season",
    "board_of",
    "check_sum",
    "entries",
    "entries_around",
    "entries_between",
    "entry_of",
]

# Past seasons that a board keeps; the oldest is dropped first.
SEASONS_MAX = 1_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Board(msgspec.Struct, frozen=True):
    """
    A board's settings.

    Args:
        name: the board's name, for the methods of games.
        stream: the stream for ``follow`` and ``read``.
        operator: ``best`` keeps a user's best score, ``sum`` adds up, ``latest`` replaces.
        order: ``desc`` if the highest is the best, ``asc`` if the lowest is.
        reset: when a new season begins, as a cron schedule in UTC; None if never.
        season: the number of the current season; 1 is the first.
        size: the number of users with an entry.
        created_at: UTC.
    """

    name: str
    stream: str
    operator: e.Operator
    order: e.BoardOrder
    reset: str | None
    season: int
    size: int
    created_at: datetime


class Entry(msgspec.Struct, frozen=True):
    """
    A user's entry on a board.

    Args:
        board: the board's name.
        user_id: the user's id.
        nickname: the user's nickname when the score was submitted.
        score: the score that counts, of all that the user has submitted.
        rank: 1 is the best; of equal scores, the first to be reached ranks higher.
        at: when the user reached the score, UTC.
        metadata: the metadata that was submitted with this score.
        cursor: identifies this place for the page before or after it. It stays valid while
            scores change, even this user's.
    """

    board: str
    user_id: str
    nickname: str
    score: int | float
    rank: int
    at: datetime
    metadata: dict[str, Any] | None = None
    cursor: str = ""


class Season(msgspec.Struct, frozen=True):
    """
    A past season.

    Args:
        number: 1 is the first.
        after: the seq of the event before its first event.
        until: the seq of its last event.
        size: the number of users with an entry.
        started_at: UTC.
        ended_at: UTC.
    """

    number: int
    after: int
    until: int
    size: int
    started_at: datetime
    ended_at: datetime


class Kept(msgspec.Struct, frozen=True):
    """The part of a snapshot beside the places, which are its further parts."""

    operator: e.Operator
    order: e.BoardOrder
    reset: str | None
    created_at: datetime | None
    season_at: datetime | None
    season_after: int
    seasons: list[Season]
    metadata: dict[str, dict[str, Any]]
    first_at: datetime | None = None


class BoardState(PartedState):
    """
    The fold of a ``board/NAME`` stream.

    Args:
        season_at: when the current season began.
        season_after: the seq of the event before its first event.
        seasons: the newest ``SEASONS_MAX`` past seasons.
        ranking: the places of the current season.
        metadata: a user -> the metadata that was submitted with their score.
        first_at: when the first score of the season was submitted; None before that.
    """

    data_type: ClassVar[Any] = e.BoardEvent
    kept_type: ClassVar[Any] = Kept
    part_type: ClassVar[Any] = BoardPart

    operator: e.Operator = "best"
    order: e.BoardOrder = "desc"
    reset: str | None = None
    created_at: datetime | None = None
    season_at: datetime | None = None
    season_after: int = 0
    seasons: list[Season] = []
    metadata: dict[str, dict[str, Any]] = {}
    ranking: Ranking = msgspec.field(default_factory=Ranking)
    first_at: datetime | None = None

    def apply(self, event: Event) -> None:
        """Fold one event."""
        data = event.data
        # First, and without a pattern, which takes each of its fields: nearly all are scores.
        if isinstance(data, e.Submitted):
            self._submit(event, data)
            return
        match data:
            case e.BoardCreated(operator, order, reset):
                self.operator, self.order, self.reset = operator, order, reset
                self.created_at = self.season_at = event.at
                self.season_after = event.seq
            case e.Reset(number, ended_at):
                self._reset(event, number, ended_at)
            case unknown:
                raise AssertionError(f"not a board's event: {unknown!r}")

    def kept(self) -> Kept:
        """Return the part of a snapshot beside the places and their metadata."""
        return Kept(
            self.operator,
            self.order,
            self.reset,
            self.created_at,
            self.season_at,
            self.season_after,
            self.seasons,
            {},
            self.first_at,
        )

    def parts(self) -> Sequence[BoardPart]:
        """Return the places in order, and then the metadata."""
        return board_parts_of(self.ranking, self.metadata)

    @classmethod
    def restored(cls, kept: Kept, parts: Iterable[BoardPart]) -> BoardState:
        """Restore a state from a snapshot."""
        ranking, metadata = restored_from(parts, kept.metadata)
        return cls(
            kept.operator,
            kept.order,
            kept.reset,
            kept.created_at,
            kept.season_at,
            kept.season_after,
            kept.seasons,
            metadata,
            ranking,
            kept.first_at,
        )

    def check_reader(self, stream: str, user: str) -> None:
        """Let everyone read a board."""
        self.check_exists(stream)

    def check_exists(self, stream: str) -> None:
        """Raise NotFound if the board does not exist."""
        if self.created_at is None:
            name = name_of(stream)
            raise NotFound(f"There is no board {name!r}; create it with games.create_board.")

    def counts(self, user: str, score: float) -> int | float | None:
        """Return a user's score after one more submission; None if it does not change."""
        total = self._counted(self.ranking.get(user), score)
        return None if total is None else rounded(total)

    def total(self, user: str) -> int | Decimal:
        """Return the exact sum of a user's scores."""
        place = self.ranking.get(user)
        return 0 if place is None else self._total(place)

    def _counted(self, place: Place | None, score: float) -> int | float | Decimal | None:
        if place is None or self.operator == "latest":
            return score
        if self.operator == "sum":
            return add_exactly(self._total(place), exact(score))
        before = self.score_of(place)
        better = score > before if self.order == "desc" else score < before
        return score if better else None

    def _total(self, place: Place) -> int | Decimal:
        return exact(self.score_of(place)) if place.total is None else place.total

    def score(self, user: str) -> int | float | None:
        """Return a user's score, or None."""
        place = self.ranking.get(user)
        return None if place is None else self.score_of(place)

    def score_of(self, place: Place) -> int | float:
        """Return the score of a place, which is never -0.0."""
        return 0 - place.key if self.order == "desc" else place.key + 0

    def season_began(self) -> datetime | None:
        """Return when the current season began by its schedule; None if there is no board."""
        return self.first_at or self.season_at

    def _submit(self, event: Event, data: e.Submitted) -> None:
        user, nickname = data.user, data.nickname
        before = self.ranking.get(user)
        counted = self._counted(before, data.score + 0)
        if counted is None:
            return
        if before is None and not self.ranking:
            self.first_at = event.at
        if isinstance(counted, Decimal):
            score = rounded(counted)
            total = counted if counted != exact(score) else None
        else:
            score, total = counted, None
        key = -score if self.order == "desc" else score
        if before is None or key != before.key:
            at_us = (event.at - _EPOCH) // _MICROSECOND
            self.ranking.put(Place(key, event.seq, at_us, user, nickname, total))
        elif (nickname, total) != (before.nickname, before.total):
            # A user who keeps a score has reached it at the first time.
            self.ranking.put(Place(key, before.seq, before.at_us, user, nickname, total))
        if data.metadata is not None:
            self.metadata[user] = data.metadata
        else:
            self.metadata.pop(user, None)

    def _reset(self, event: Event, number: int, ended_at: datetime) -> None:
        assert self.season_at is not None
        last = event.seq - 1
        season = Season(
            number, self.season_after, last, len(self.ranking), self.season_at, ended_at
        )
        self.seasons = [*self.seasons[-SEASONS_MAX + 1 :], season]
        self.season_at, self.season_after = ended_at, event.seq
        self.ranking, self.metadata, self.first_at = Ranking(), {}, None


def board_of(stream: str, state: BoardState) -> Board:
    """Return the public form of a board."""
    state.check_exists(stream)
    assert state.created_at is not None
    season = state.seasons[-1].number + 1 if state.seasons else 1
    return Board(
        name_of(stream),
        stream,
        state.operator,
        state.order,
        state.reset,
        season,
        len(state.ranking),
        state.created_at,
    )


def entry_of(stream: str, state: BoardState, user: str) -> Entry:
    """
    Return a user's entry.

    Raises:
        NotFound: the user has no entry.
    """
    place = state.ranking.get(user)
    if place is None:
        raise NotFound(f"{shown(user)} has no entry on this board; submit a score first.")
    return _entry(stream, state, place, state.ranking.rank(place))


def entries(stream: str, state: BoardState, after: int, limit: int) -> list[Entry]:
    """Return the entries after a rank."""
    places = state.ranking.page(after, limit)
    return [_entry(stream, state, place, after + n) for n, place in enumerate(places, 1)]


def entries_around(stream: str, state: BoardState, *, user: str, limit: int) -> list[Entry]:
    """
    Return entries with a user's in the middle, or as near to it as the ends permit.

    Raises:
        NotFound: the user has no entry.
    """
    rank = entry_of(stream, state, user).rank
    last = max(0, len(state.ranking) - limit)
    return entries(stream, state, min(max(0, rank - 1 - limit // 2), last), limit)


def entries_between(
    stream: str, state: BoardState, *, after: object, before: object, limit: int
) -> list[Entry]:
    """
    Return the entries after one place and before another.

    If there are more than ``limit``, return the first of them; without ``after``, the last.

    Args:
        stream: the board's stream.
        state: the board.
        after: the place to begin after, see :func:`rank_after`; None for the top.
        before: the place to end before, see :func:`rank_before`; None for the end.
        limit: the greatest number of entries.

    Raises:
        Invalid: ``after`` or ``before`` is not a place.
        NotFound: it is a user without an entry.
    """
    first = rank_after(state, after)
    if before is None:
        return entries(stream, state, first, limit)
    last = rank_before(state, before)
    if after is None:
        first = max(0, last - limit)
    return entries(stream, state, first, max(0, min(limit, last - first)))


def check_sum(state: BoardState, user: str, score: float) -> None:
    """Raise Conflict if a user's sum would exceed the limits of a score."""
    if state.operator != "sum":
        return
    if not -SCORE_MAX <= add_exactly(state.total(user), exact(score)) <= SCORE_MAX:
        raise Conflict("The sum of this user's scores would be too large to be exact.")


def _entry(stream: str, state: BoardState, place: Place, rank: int) -> Entry:
    score, metadata = state.score_of(place), state.metadata.get(place.user)
    return Entry(
        name_of(stream),
        place.user,
        place.nickname or place.user,
        score,
        rank,
        _EPOCH + place.at_us * _MICROSECOND,
        # Copy it: a caller in the process may change the metadata.
        None if metadata is None else deepcopy(metadata),
        cursor_of(score, place.seq),
    )
