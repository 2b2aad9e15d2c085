"""
A database with a large board, made once and copied for each measurement.

It has what a hub would have written: an event for each entry, and the newest snapshot. The store
takes the events from here, because a hub would need minutes to decide a million of them.
"""

from __future__ import annotations

import contextlib
import random
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count, islice
from pathlib import Path

from hubbub.games.boards.board import BoardState
from hubbub.games.boards.stream import board_stream
from hubbub.games.events import BoardCreated, Submitted
from hubbub.journal.event import Data, Event, Streams, encode_event, tag_of
from hubbub.journal.schedule import HUB
from hubbub.stores import Batch, Record, Snapshot, SQLiteStore

__all__ = ["BOARD", "SCORE_MAX", "large_board", "user_id"]

BOARD = "bench"
SCORE_MAX = 10**9
# As many events as the journal commits together.
BATCH_EVENTS = 2_000
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def user_id(number: int) -> str:
    """Return the id of a user with an entry."""
    return f"user-{number:07}"


def large_board(size: int) -> Path:
    """Return a database with a board of so many entries; the process removes it at its end."""
    return Path(_folder_with_board(size).name) / "board.db"


@cache
def _folder_with_board(size: int) -> tempfile.TemporaryDirectory[str]:
    folder = tempfile.TemporaryDirectory()
    with contextlib.closing(SQLiteStore(f"{folder.name}/board.db")) as store:
        state = BoardState()
        coming = _events(size)
        while events := list(islice(coming, BATCH_EVENTS)):
            store.commit(Batch([_record(event) for event in events]))
            for event in events:
                state.apply(event)
        body, parts = Streams({"board": BoardState}).encode_state(state)
        snapshot = Snapshot(board_stream(BOARD), size + 1, BEGAN, body, parts)
        for number in range(len(parts), -1, -1):
            store.keep_part(snapshot, number)
    return folder


def _events(size: int) -> Iterator[Event]:
    chance, seqs = random.Random(1), count(1)

    def event(by: str, data: Data) -> Event:
        seq = next(seqs)
        at = BEGAN + timedelta(milliseconds=seq - size)
        return Event(board_stream(BOARD), seq, at, by, None, data)

    yield event(HUB, BoardCreated("latest", "desc"))
    for number in range(size):
        user = user_id(number)
        yield event(user, Submitted(user, chance.randrange(SCORE_MAX)))


def _record(event: Event) -> Record:
    body = encode_event(event)
    return Record(event.stream, event.seq, tag_of(event.data), event.by, event.ref, body)
