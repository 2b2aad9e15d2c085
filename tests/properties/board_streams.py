"""Every decision about a board and a schedule, drawn for test_folds.py."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any, get_args

from hypothesis import strategies as st

from hubbub.games.boards import commands as board_decisions
from hubbub.games.boards.board import BoardState
from hubbub.games.events import BoardOrder, Matched, Operator, SearchBegan, SearchCancelled
from hubbub.journal.decide.cache_entries import StreamEntry
from hubbub.journal.decide.states import States
from hubbub.journal.event import Data, Draft, Event
from hubbub.journal.schedule import Schedule, Scheduled, Unscheduled
from hubbub.journal.shards import stream_shard
from hubbub.users.user import UserState
from tests.games.board_kit import NOON, states_of

__all__ = ["Decide", "decide_agenda", "decide_board", "decide_queue", "metadata", "scores"]

# A new season begins with every fourth event or so.
SECONDS_PER_EVENT = 15
EVERY_MINUTE = "* * * * *"

# Decides something about a stream, given its state and its events so far.
Decide = Callable[[Any, Sequence[Event]], Iterable[Draft]]

users = st.sampled_from(["ann", "bob", "eve", "zoë"])
nicknames = st.sampled_from(["Ann", "Änn", "ann", ""])
settings: st.SearchStrategy[tuple[Operator, BoardOrder, str | None]] = st.sampled_from(
    [
        (operator, order, reset)
        for operator in get_args(Operator)
        for order in get_args(BoardOrder)
        for reset in (None, EVERY_MINUTE)
    ]
)
# Few of them, so that there are ties; and all that is let in.
scores: st.SearchStrategy[int | float] = (
    st.integers(-2, 2)
    | st.sampled_from([0.5, -0.0, 2.0])
    | st.integers(-(2**53), 2**53)
    | st.floats(-(2.0**53), 2.0**53)
)
metadata = st.sampled_from(
    [None, {}, {"map": 1}, {"map": {"ü": [1.5, None, "👋"]}}, {"lap": 2, "best": True}]
)


def decide_board(stream: str) -> st.SearchStrategy[tuple[str, Decide]]:
    """Draw who submits what to a board; the first to come makes it."""
    name = stream.partition("/")[2]

    def decision(
        what: str,
        made: tuple[Operator, BoardOrder, str | None],
        user: str,
        nickname: str,
        score: object,
        body: object,
    ) -> tuple[str, Decide]:
        def decide(board: BoardState, events: Sequence[Event]) -> Iterable[Draft]:
            states = _states(stream, board, user, nickname)
            states.now = NOON + timedelta(seconds=SECONDS_PER_EVENT * len(events))
            if what == "create" or board.created_at is None:
                return board_decisions.create_board(states, name, *made, 100)
            if what == "look":
                return board_decisions.look_at_board(states, stream)
            return board_decisions.submit(states, stream, user, score, body)

        return user, decide

    what = st.sampled_from(["submit"] * 8 + ["look", "create"])
    return st.builds(decision, what, settings, users, nicknames, scores, metadata)


def decide_agenda(stream: str) -> st.SearchStrategy[tuple[str, Decide]]:
    """Draw what is scheduled and unscheduled: each writer decides by its own state."""
    targets = st.sampled_from(["match/1", "match/2", "board/main"])
    times = st.none() | st.integers(0, 10**6).map(lambda n: NOON + timedelta(milliseconds=n))
    data: st.SearchStrategy[Data] = st.one_of(
        st.builds(Scheduled, targets, times), st.builds(Unscheduled, targets)
    )

    def draft(data: Data) -> tuple[str, Decide]:
        return "ann", lambda _, __: [Draft(stream, data)]

    return data.map(draft)


def decide_queue(stream: str) -> st.SearchStrategy[tuple[str, Decide]]:
    """Draw searches, and what ends them."""
    users, keys = st.sampled_from(["ann", "bob", "cid"]), st.sampled_from("ab")
    ratings = st.sampled_from([1400.0, 1500.0])
    data: st.SearchStrategy[Data] = st.one_of(
        st.builds(SearchBegan, users, keys, ratings, st.sampled_from(["one", "two"])),
        st.builds(SearchCancelled, users),
        st.builds(Matched, st.just("match/1"), st.lists(users, min_size=2, max_size=2)),
    )

    def draft(data: Data) -> tuple[str, Decide]:
        return "ann", lambda _, __: [Draft(stream, data)]

    return data.map(draft)


def _states(stream: str, board: BoardState, user: str, nickname: str) -> States:
    profile = UserState()
    profile.nickname = nickname
    return states_of(
        NOON,
        StreamEntry(stream, board),
        StreamEntry(f"user/{user}", profile),
        StreamEntry(stream_shard(board_decisions.BOARD_SCHEDULE, stream), Schedule()),
    )
