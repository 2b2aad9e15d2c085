"""``hubbub top``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..games.board import Entry
from ..session import Session
from .account import Account, Fresh, Nickname, Token, Url
from .lines import note
from .names import clean
from .screen import Screen
from .visit import visit

__all__ = ["ENTRIES", "board_table", "top"]

# The entries that are shown.
ENTRIES = 10


def top(
    url: Url,
    board: Annotated[str, typer.Argument(help="A leaderboard's name.")] = "main",
    limit: Annotated[int, typer.Option(help="How many entries.")] = ENTRIES,
    nickname: Nickname = None,
    token: Token = None,
    fresh: Fresh = False,
) -> None:
    """Show a leaderboard."""
    visit(Account(url, nickname, token, fresh), partial(_show, board, limit))


def board_table(entries: Sequence[Entry], own: str) -> Table:
    """
    Show entries as a table.

    Args:
        entries: from the best on.
        own: the id of the user who looks.
    """
    table = Table("rank", "nickname", "score", box=None, header_style="dim", pad_edge=False)
    table.columns[0].justify = table.columns[2].justify = "right"
    for entry in entries:
        # As texts, for a nickname may look like markup.
        cells = (f"{entry.rank:,}", clean(entry.nickname), f"{entry.score:,}")
        table.add_row(*map(Text, cells), style="bold green" if entry.user_id == own else None)
    return table


async def _show(board: str, limit: int, session: Session, screen: Screen) -> None:
    entries = await session.games.top(board, limit=limit)
    if not entries:
        screen.show(note(f"Nobody is on the board {board!r} yet."))
        return
    Console(highlight=False).print(board_table(entries, session.user.id))
