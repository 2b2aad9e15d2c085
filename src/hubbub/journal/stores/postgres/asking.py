"""Asks the database, before a batch is decided, what others have written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import Any, NamedTuple

import msgspec
from psycopg import Cursor

from ..contract import Stale
from ..rows import used_of
from ..sharing import NEWS_EVENTS_MAX, News, Wanted
from . import statements as sql
from .arrays import Numbers, Texts
from .connection import PostgresConnection

__all__ = ["ONE_MOMENT", "STREAM_IDS_MAX", "BatchNews", "StreamIds", "ask_and_lock", "ask_only"]

# Streams whose ids are remembered.
STREAM_IDS_MAX = 100_000
ONE_MOMENT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class StreamIds(dict[str, int]):
    """The ids of streams, by their names. An id never changes, unless history is replaced."""

    def learn(self, found: Iterable[tuple[str, int]]) -> None:
        """Remember ids; forget all others if they are too many."""
        if len(self) > STREAM_IDS_MAX:
            self.clear()
        self.update(found)


class BatchNews(msgspec.Struct, frozen=True):
    """
    The events of others, and where each stream ends.

    Args:
        news: for the node.
        heads: the present head of each stream.
    """

    news: News
    heads: Mapping[str, int]


class _Sent(NamedTuple):
    """The queries of a pipeline, before their answers; None for a query that was not needed."""

    events: Cursor[Any] | None
    used: Cursor[Any] | None
    charged: Cursor[Any] | None
    now: Cursor[Any]


class _Question:
    """A batch's needs as parameters: streams by their ids where these are known."""

    def __init__(self, wanted: Wanted, ids: StreamIds) -> None:
        self.wanted = wanted
        self.heads = {**wanted.looks, **wanted.streams}
        self.ids = {name: ids[name] for name in self.heads if name in ids}
        self.known = sorted(self.ids, key=self.ids.__getitem__)
        self.new = sorted(self.heads.keys() - self.ids.keys())

    def streams(self) -> tuple[Any, ...]:
        locked = self.wanted.streams
        return (
            Numbers(self.ids[name] for name in self.known if name in locked),
            Texts(name for name in self.new if name in locked),
        )

    def events(self) -> tuple[Any, ...]:
        return (
            Numbers(self.ids[name] for name in self.known),
            Numbers(self.heads[name] for name in self.known),
            Texts(self.new),
            Numbers(self.heads[name] for name in self.new),
        )


def ask_and_lock(connection: PostgresConnection, wanted: Wanted, ids: StreamIds) -> BatchNews:
    """
    Begin a transaction, lock what is wanted, and return the news.

    Raises:
        Stale: history is another than the node knows.
    """
    question = _Question(wanted, ids)
    with connection.pipeline():
        connection.raw.execute("BEGIN")
        locked = connection.run(sql.LOCK_STREAMS, *question.streams())
        answers = _send(connection, question, sql.LOCK_LIMITS)
    _check_locked(locked.fetchall(), question, ids)
    return _answer(question, ids, answers)


def ask_only(connection: PostgresConnection, wanted: Wanted, ids: StreamIds) -> BatchNews:
    """Return the news as of one moment, and lock nothing."""
    question = _Question(wanted, ids)
    with connection.pipeline():
        connection.raw.execute(ONE_MOMENT)
        answers = _send(connection, question, sql.READ_LIMITS)
        connection.raw.execute("COMMIT")
    return _answer(question, ids, answers)


def _send(connection: PostgresConnection, question: _Question, limits: str) -> _Sent:
    wanted, run = question.wanted, connection.run
    charged = run(limits, *_columns(wanted.limits)) if wanted.limits else None
    events = run(sql.NEWS_OF, *question.events()) if question.heads else None
    used = run(sql.USED_OF, *_columns(wanted.keys)) if wanted.keys else None
    return _Sent(events, used, charged, run(sql.NOW))


def _answer(question: _Question, ids: StreamIds, sent: _Sent) -> BatchNews:
    bodies, heads = _events(question, ids, _rows(sent.events))
    [(at,)] = sent.now.fetchall()
    news = News(
        at=at.astimezone(UTC),
        bodies=bodies,
        used={(row[0], row[1]): used_of(*row) for row in _rows(sent.used)},
        limits={(limited, by): state for limited, by, state in _rows(sent.charged)},
    )
    return BatchNews(news, heads)


def _rows(cursor: Cursor[Any] | None) -> list[tuple[Any, ...]]:
    return [] if cursor is None else cursor.fetchall()


def _check_locked(rows: list[tuple[int, str]], question: _Question, ids: StreamIds) -> None:
    found = {name: number for number, name in rows}
    for name, number in question.ids.items():
        if name in question.wanted.streams and found.get(name) != number:
            ids.clear()
            raise Stale
    ids.learn(found.items())


def _events(
    question: _Question, ids: StreamIds, rows: list[tuple[Any, ...]]
) -> tuple[dict[str, list[bytes]], dict[str, int]]:
    bodies, heads = dict[str, list[bytes]](), dict.fromkeys(question.heads, 0)
    for n, number, seq, body in rows:
        name = question.known[n - 1] if n > 0 else question.new[-n - 1]
        if body is None:
            # The event that the node knows as the last.
            heads[name] = seq
            continue
        if n < 0:
            ids[name] = number
        heads[name] = seq
        bodies.setdefault(name, []).append(body)
    for name, found in bodies.items():
        del found[NEWS_EVENTS_MAX:]
        if len(found) == NEWS_EVENTS_MAX:
            heads[name] = question.heads[name] + NEWS_EVENTS_MAX
    if any(heads[name] < head for name, head in question.heads.items()):
        # The server lost history that this node has, as after a failover that loses commits.
        ids.clear()
        raise Stale
    return bodies, heads


def _columns(names: Iterable[tuple[str, str]]) -> tuple[Texts, Texts]:
    ordered = sorted(names)
    return Texts(one for one, _ in ordered), Texts(other for _, other in ordered)
