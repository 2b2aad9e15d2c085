"""``hubbub top``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..games.boards.board import Entry
from ..session import Session
from .account import Account, Fresh, Nickname, Token, Url
from .lines import note
from .names import clean
from .screen import Screen
from .session import run_signed_in

__all__ = ["ENTRIES", "board_table", "page_hint", "top"]

# The entries that are shown.
ENTRIES = 10


def top(
    url: Url,
    board: Annotated[str, typer.Argument(help="A leaderboard's name.")] = "main",
    limit: Annotated[int, typer.Option(help="How many entries.")] = ENTRIES,
    after: Annotated[
        str | None, typer.Option(help="Only entries behind this cursor, rank or user's id.")
    ] = None,
    before: Annotated[str | None, typer.Option(help="Only entries in front of this one.")] = None,
    nickname: Nickname = None,
    token: Token = None,
    fresh: Fresh = False,
) -> None:
    """Show a leaderboard."""
    show = partial(_show, board, limit, _place(after), _place(before))
    run_signed_in(Account(url, nickname, token, fresh), show)


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


def page_hint(entries: Sequence[Entry], limit: int) -> str:
    """Say how to see the next page; nothing if there is none."""
    return f"Next page: --after {entries[-1].cursor}" if len(entries) == limit else ""


async def _show(
    board: str,
    limit: int,
    after: int | str | None,
    before: int | str | None,
    session: Session,
    screen: Screen,
) -> None:
    entries = await session.games.top(board, limit=limit, after=after, before=before)
    if not entries:
        paged = after is not None or before is not None
        nobody = f"Nobody is there on the board {board!r}." if paged else ""
        screen.show(note(nobody or f"Nobody is on the board {board!r} yet."))
        return
    Console(highlight=False).print(board_table(entries, session.user.id))
    if hint := page_hint(entries, limit):
        screen.show(note(hint))


def _place(text: str | None) -> int | str | None:
    # As in a URL, a number is a rank.
    return int(text) if text is not None and text.isdecimal() and len(text) < 16 else text
