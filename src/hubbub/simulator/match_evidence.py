"""Checks matches against what their players know. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..games.matches.match import is_match
from ..journal.shards import stream_shard
from .match_books import MatchBooks
from .match_fold import MatchFold
from .realtime_workload import is_realtime
from .workload import Evidence

__all__ = ["WIN_POINTS", "broken_matches", "unfinished_matches"]

# The points of a winner on the board; see the setting ``match_win_points``.
WIN_POINTS = 10


def unfinished_matches(evidence: Evidence, *, steady: bool) -> Iterator[str]:
    """Yield what a match still waits for, and must not when everybody has been back for long."""
    for match, fold in _folds(evidence, steady=steady).items():
        if fold.end is None:
            for player in fold.dropped:
                yield f"{match} takes {player} for absent, although they have returned."
            if steady and fold.seconds is not None:
                yield f"The time of {match} is up, and it has not ended."


def broken_matches(books: MatchBooks, evidence: Evidence, *, steady: bool) -> Iterator[str]:
    """Yield every promise that is broken."""
    folds = _folds(evidence, steady=steady)
    for match, fold in folds.items():
        fold.close()
        yield from fold.broken
        yield from _broken_books(books, match, fold)
    yield from _broken_starts(books, folds)
    yield from _broken_ends(evidence.order, folds, steady=steady)
    yield from _broken_wins(evidence, folds)


def _folds(evidence: Evidence, *, steady: bool) -> Mapping[str, MatchFold]:
    folds = {}
    for stream, events in evidence.streams.items():
        if is_match(stream) and not is_realtime(events):
            name = stream.removeprefix("match/")
            fold = folds[name] = MatchFold(name, steady=steady)
            for event in events:
                fold.take(event)
    return folds


def _broken_books(books: MatchBooks, match: str, fold: MatchFold) -> Iterator[str]:
    for score, times in Counter(fold.scored).items():
        if score not in books.tried[match]:
            yield f"{match} has the score {score}, which nobody has tried."
        if times > 1:
            yield f"{match} has the score {score} {times} times."
        if score in books.refused[match]:
            yield f"{match} has the score {score}, which was refused."
    for score in books.acknowledged[match] - {*fold.scored}:
        yield f"{match} has lost the score {score}, which was acknowledged."
    for player in books.left[match] - {*fold.gone}:
        yield f"{player} has resigned from {match}, and still plays in it."
    seen = books.seen.get(match)
    over = seen is not None and seen.status != "active"
    if seen is not None and over and (seen.status, seen.winner) != (fold.end, fold.winner):
        yield f"{match} was seen as {seen.status}, and is {fold.end}; {fold.winner} has won."


def _broken_starts(books: MatchBooks, folds: Mapping[str, MatchFold]) -> Iterator[str]:
    for match in books.seen.keys() - folds.keys():
        yield f"{match} was acknowledged, and is not there."
    begun = Counter(fold.by for fold in folds.values() if not fold.keys)
    for user, times in begun.items():
        if times > books.starts[user]:
            yield f"{user} has started {times} matches, and tried {books.starts[user]}."
    searched = Counter(key for fold in folds.values() for key in fold.keys.items())
    for (user, key), times in searched.items():
        if times > 1 or key not in books.searches[user]:
            yield f"The search {key} of {user} has found {times} matches."
    for (match, user), key in books.found.items():
        if match in folds and folds[match].keys.get(user) != key:
            yield f"The search {key} of {user} has found {match}, which belongs to another search."


def _broken_ends(
    order: Sequence[Mapping[str, Any]], folds: Mapping[str, MatchFold], *, steady: bool
) -> Iterator[str]:
    """Compare each end with the rest of its transaction, whose events come right behind it."""
    for place, event in enumerate(order, 1):
        if event["type"] in ("completed", "cancelled") and is_match(event["stream"]):
            match = event["stream"].removeprefix("match/")
            if match not in folds:
                continue
            fold, found, rated = folds[match], Counter[tuple[str, str]](), 0
            wanted = _written_with(event["stream"], fold)
            for other in order[place:]:
                what = (other["stream"], other["type"])
                if what not in (*wanted, *_may_come_with(fold)):
                    break
                # When a clock goes back, the times of a stream stay, and those of others follow it.
                if steady and other["at"] != event["at"]:
                    break
                found[what] += 1
                rated += other["type"] == "rated"
            for stream, type_ in wanted:
                if found[stream, type_] != 1:
                    yield f"{match} ended without the event {type_} of {stream}, or with two."
            if rated not in ((0, len(fold.players)) if fold.keys else (0,)):
                yield f"{match} has changed {rated} ratings."


def _written_with(stream: str, fold: MatchFold) -> Sequence[tuple[str, str]]:
    """Return the streams that the end of a match is written into as well, and with what."""
    wanted = [(stream_shard("agenda/matches", stream), "settled")]
    wanted += [(f"user/{player}", "unlinked") for player in fold.players]
    if not fold.private:
        wanted.append((stream_shard("index/matches", stream), "unlinked"))
    if fold.end == "completed" and fold.winner is not None:
        wanted.append((f"board/{fold.board}", "submitted"))
    return wanted


def _may_come_with(fold: MatchFold) -> Sequence[tuple[str, str]]:
    # The first win makes the board.
    rated = [(f"user/{player}", "rated") for player in fold.players]
    return [(f"board/{fold.board}", "created"), *rated]


def _broken_wins(evidence: Evidence, folds: Mapping[str, MatchFold]) -> Iterator[str]:
    wins = Counter((fold.board, fold.winner) for fold in folds.values() if fold.winner is not None)
    boards = {fold.board for fold in folds.values()}
    points: Counter[tuple[str, str]] = Counter()
    for board in boards:
        for event in evidence.streams.get(f"board/{board}", ()):
            if event["type"] == "submitted":
                points[board, event["user"]] += event["score"]
    for who in wins.keys() | points.keys():
        if points[who] != WIN_POINTS * wins[who]:
            yield f"{who[1]} has {points[who]} points on {who[0]} for {wins[who]} wins."
