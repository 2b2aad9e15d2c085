"""Matches as lines of text. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
from rich.text import Text

from ..games import events as e
from ..games.boards.board import Entry
from ..games.matches.match import Match
from ..games.matches.rules import AnyRules, FirstTo
from ..journal.event import Event
from .lines import note
from .names import Names, clean

__all__ = [
    "Question",
    "answer_line",
    "end_line",
    "match_event_line",
    "past_line",
    "place_line",
    "question_in",
    "rating_line",
    "score_line",
]


class Question(NamedTuple):
    """A question of a game, and its number."""

    number: int
    text: str


def question_in(event: Event) -> Question | None:
    """Return the question that an event asks; None if it asks none."""
    if not isinstance(event.data, e.Told):
        return None
    match event.data.body:
        case {"question": int(number), "text": str(text)}:
            return Question(number, clean(text))
    return None


def match_event_line(event: Event, names: Names) -> Text | None:
    """Show an event of a match; None if other lines show it."""
    match event.data:
        case e.Started(players, rules):
            who = ", ".join(names.of(player) for player in players)
            return note(f"The match begins: {who}{_goal(rules)}.")
        case e.Told(body):
            return _told_line(body, names)
        case e.Resigned():
            return note(f"{names.of(event.by)} resigns.")
        case e.Dropped(player):
            return note(f"{names.of(player)} has disconnected and can return for a short while.")
        case e.Returned(player):
            return note(f"{names.of(player)} is connected.")
        case e.Forfeited(player):
            return note(f"{names.of(player)} was away for too long and forfeits.")
    return None


def past_line(match: Match, names: Names, *, over: bool) -> Text:
    """
    Show the players of a match that began earlier.

    Args:
        match: the match.
        names: the players' nicknames.
        over: whether the match has ended.
    """
    who = " against ".join(names.of(player) for player in match.players)
    return note(f"The match {'is over' if over else 'is under way'}: {who}.")


def score_line(scores: Mapping[str, int], own: str, names: Names) -> Text:
    """Show the points of all players, the user's own in a colour."""
    line = Text(style="bold")
    for player, points in scores.items():
        line.append("   " if line else "  ")
        line.append(f"{names.of(player)} {points:,}", style="green" if player == own else "")
    return line


def answer_line(question: Question, answer: int) -> Text:
    """Show the user's answer."""
    return Text(f"  {question.text} = {answer}", style="cyan")


def end_line(match: Match, own: str, names: Names) -> Text:
    """Show the result of a match."""
    if match.status == "cancelled":
        return Text(f"The match is cancelled: {clean(match.reason or '')}", style="bold red")
    if match.winner is None:
        return Text("A draw.", style="bold")
    if match.winner == own:
        return Text("You have won!", style="bold green")
    return Text(f"{names.of(match.winner)} has won.", style="bold")


def rating_line(rating: float) -> Text:
    """Show the user's rating."""
    return note(f"Your rating is now {rating:.0f}.")


def place_line(entry: Entry) -> Text:
    """Show the user's place on a leaderboard."""
    return note(
        f"You are number {entry.rank:,} on the board {clean(entry.board)!r}, "
        f"with {entry.score:,} points."
    )


def _goal(rules: AnyRules) -> str:
    return f"; the first to {rules.points:,} wins" if isinstance(rules, FirstTo) else ""


def _told_line(body: dict[str, Any], names: Names) -> Text:
    match body:
        case {"question": _, "text": str(text)}:
            return Text(f"  {clean(text)} = ?", style="bold cyan")
        case {"question": _, "answer": answer, "by": None}:
            return note(f"Nobody knew the answer: {clean(str(answer))}.")
        case {"question": _, "answer": answer, "by": str(by)}:
            return note(f"{names.of(by)} knew: {clean(str(answer))}.")
    return note(clean(msgspec.json.encode(body).decode()))
