"""What a match looks like, as lines of text. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from rich.text import Text

from ..games import events as e
from ..games.board import Entry
from ..games.match import Match
from ..journal.event import Event
from .lines import note
from .names import Names, clean

__all__ = ["end_line", "match_event_line", "match_title", "place_line", "question_in", "score_line"]


def match_title(match: Match, names: Names) -> str:
    """Return what to call a match: its players."""
    return " against ".join(names.of(player) for player in match.players)


def score_line(scores: Mapping[str, int], names: Names) -> Text:
    """Show the points of all."""
    shown = "   ".join(f"{names.of(player)} {points}" for player, points in scores.items())
    return Text(f"  {shown}", style="bold")


def match_event_line(event: Event, names: Names) -> Text | None:
    """Show what happened in a match; None for what is shown otherwise."""
    match event.data:
        case e.Started(players):
            return note(f"The match begins: {', '.join(names.of(player) for player in players)}.")
        case e.Told(body):
            return _told_line(body, names)
        case e.Resigned():
            return note(f"{names.of(event.by)} gives up.")
        case e.Dropped(player):
            return note(f"{names.of(player)} is gone, and may come back for a little while.")
        case e.Returned(player):
            return note(f"{names.of(player)} is here.")
        case e.Forfeited(player):
            return note(f"{names.of(player)} was gone for too long.")
    return None


def question_in(event: Event) -> int | None:
    """Return the number of the question that an event asks, if it asks one."""
    if isinstance(event.data, e.Told) and "text" in event.data.body:
        number = event.data.body.get("question")
        return number if isinstance(number, int) else None
    return None


def end_line(match: Match, own: str, names: Names) -> Text:
    """Show how a match has ended."""
    if match.status == "cancelled":
        return Text(f"The match is cancelled: {clean(match.reason or '')}", style="bold red")
    if match.winner is None:
        return Text("A draw.", style="bold")
    if match.winner == own:
        return Text("You have won!", style="bold green")
    return Text(f"{names.of(match.winner)} has won.", style="bold")


def place_line(entry: Entry, rating: float) -> Text:
    """Show where one stands now."""
    return note(
        f"On the board {clean(entry.board)!r} you are number {entry.rank} with {entry.score}; "
        f"your rating is {rating:.0f}."
    )


def _told_line(body: dict[str, Any], names: Names) -> Text:
    match body:
        case {"question": _, "text": str(text)}:
            return Text(f"  {clean(text)} = ?", style="bold cyan")
        case {"question": _, "answer": answer, "by": None}:
            return note(f"Nobody knew: {answer}.")
        case {"question": _, "answer": answer, "by": str(by)}:
            return note(f"{names.of(by)} knew: {answer}.")
    return note(clean(msgspec.json.encode(body).decode()))
