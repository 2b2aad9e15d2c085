"""Permissions of games: which users can call its methods and read its streams. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from ..permissions import ANYONE, Grant

__all__ = ["GAMES_GRANTS", "GAMES_READERS"]

# A kind of stream -> who can read and follow it.
GAMES_READERS: Mapping[str, Grant] = {
    "match": ANYONE,
    "private match": Grant(
        ("player", "referee"), "This match is private: only its players can watch it."
    ),
    "board": ANYONE,
    "queue": Grant(("nobody",), "Only the hub can read its queues."),
}

# A method -> who can call it.
GAMES_GRANTS: Mapping[str, Grant] = {
    "games.start_match": Grant(
        ("anyone",), but="over a network a user only matches in which they play"
    ),
    "games.add_score": Grant(
        ("player", "referee"),
        "You do not play in this match.",
        but="with a referee only the referee; without one players for themselves",
    ),
    "games.resign": Grant(("player",), "You do not play in this match."),
    "games.message": Grant(("player",), "You do not play in this match."),
    "games.match": Grant(("anyone",), but="a private one: its players and its referee"),
    "games.matches": Grant(("anyone",), but="private ones are listed for their players"),
    "games.find_match": ANYONE,
    "games.create_board": ANYONE,
    "games.submit": Grant(("anyone",), but="for themselves"),
    "games.board": ANYONE,
    "games.top": ANYONE,
    "games.rank": ANYONE,
    "games.around": ANYONE,
    "games.seasons": ANYONE,
    "games.season": ANYONE,
}
