"""Decide about boards and their agenda one after another, as the journal would."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from hubbub.games.boards import commands as s
from hubbub.games.boards.board import BoardState, entries
from hubbub.games.boards.commands import BOARD_SCHEDULE
from hubbub.games.events import BoardOrder, Operator, Submitted
from hubbub.journal.command import Call, Command, nothing
from hubbub.journal.decide.cache_entries import NotLoaded, StreamEntry
from hubbub.journal.decide.states import States
from hubbub.journal.event import Data, Draft, Event, State, Streams
from hubbub.journal.schedule import Schedule
from hubbub.journal.shards import stream_shard
from hubbub.users.user import UserState
from tests.features import STREAMS
from tests.journal.tally import new_limit

__all__ = [
    "DAILY",
    "DAY",
    "MIDNIGHT",
    "NOON",
    "REGISTRY",
    "STREAM",
    "Desk",
    "board_with",
    "create",
    "desk_with",
    "look",
    "scheduled",
    "states_of",
    "submit",
    "submitted",
    "table",
]

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
REGISTRY = Streams(STREAMS)
STREAM = "board/speed"
DAILY = "0 0 * * *"
MIDNIGHT = datetime(2026, 1, 2, tzinfo=UTC)
DAY = timedelta(days=1)

R = TypeVar("R")


def states_of(now: datetime, *entries: StreamEntry) -> States:
    """Hold what a decision looks at; it has a clock, and a call under way."""
    states = States(10_000, new_limit)
    states.bind(Call(Command("ann", nothing, lambda _, __: None)))
    states.now = now
    for entry in entries:
        states.put(entry)
    return states


class Desk:
    """
    Streams in memory: what is decided is applied, and kept in order.

    A user who was not added has their id as the nickname.

    Args:
        now: what the clock says until it is set.
    """

    def __init__(self, now: datetime = NOON) -> None:
        self.states = states_of(now)
        self.events: list[Event] = []

    def ask(self, question: Callable[[States], R]) -> R:
        """Ask again when what it touches is there, as the journal does."""
        while True:
            try:
                return question(self.states)
            except NotLoaded as missing:
                for name in map(str, missing.names):
                    self.put(name, _first(name))

    def do(self, decide: Callable[[States], Sequence[Draft]], by: str = "ann") -> list[Data]:
        """Decide, and apply what comes of it."""
        drafts = list(self.ask(decide))
        for draft in drafts:
            entry = self.ask(lambda states, stream=draft.stream: states.entry(stream))  # type: ignore[misc]
            who, seq = draft.by or by, entry.head + 1
            event = Event(draft.stream, seq, self.states.now, who, draft.ref, draft.data)
            entry.take(event)
            self.events.append(event)
        return [draft.data for draft in drafts]

    def put(self, stream: str, state: State) -> None:
        """Let a stream have a state."""
        self.states.put(StreamEntry(stream, state))

    def board(self, stream: str = STREAM) -> BoardState:
        """Return a board."""
        return self.ask(lambda states: states.of(BoardState, stream))


def create(
    desk: Desk,
    name: object = "speed",
    *,
    operator: object = "best",
    order: object = "desc",
    reset: object = None,
) -> list[Data]:
    return desk.do(lambda states: s.create_board(states, name, operator, order, reset, 10))


def submit(
    desk: Desk, user: str, score: object, metadata: object = None, stream: str = STREAM
) -> list[Data]:
    return desk.do(lambda states: s.submit(states, stream, user, score, metadata), by=user)


def look(desk: Desk) -> list[Data]:
    return desk.do(lambda states: s.look_at_board(states, STREAM), by="/hub")


def desk_with(operator: Operator = "best", reset: str | None = None) -> Desk:
    """Make a board at noon."""
    desk = Desk()
    create(desk, operator=operator, reset=reset)
    return desk


def scheduled(desk: Desk) -> dict[str, datetime | None]:
    shard = stream_shard(BOARD_SCHEDULE, STREAM)
    return desk.ask(lambda states: states.of(Schedule, shard).due)


def submitted(
    board: BoardState, seq: int, user: str, score: float, nickname: str | None = None
) -> None:
    """Apply a score that was submitted so many seconds after noon as its seq says."""
    at = NOON + timedelta(seconds=seq)
    board.apply(Event(STREAM, seq, at, user, None, Submitted(user, score, nickname)))


def board_with(
    *scores: tuple[str, float], operator: Operator = "best", order: BoardOrder = "desc"
) -> BoardState:
    """Make a board on which these were submitted, from seq 2 on."""
    board = BoardState(operator, order, None, NOON, NOON, 1)
    for seq, (user, score) in enumerate(scores, 2):
        submitted(board, seq, user, score)
    return board


def table(board: BoardState) -> list[tuple[int, str, float]]:
    """The ranks, with the scores."""
    return [(e.rank, e.user_id, e.score) for e in entries(STREAM, board, 0, 100)]


def _first(stream: str) -> State:
    state = REGISTRY.empty(stream)
    if isinstance(state, UserState):
        state.nickname = stream.removeprefix("user/")
    return state
