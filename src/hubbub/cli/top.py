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
from .account import Fresh, Nickname, Token, TokenFile, Url, account_of, server_and_rest
from .lines import note
from .names import clean
from .screen import Screen
from .session import run_signed_in

__all__ = ["ENTRIES", "board_table", "page_hint", "top"]

# How many entries a page has by default.
ENTRIES = 10
DEFAULT_BOARD = "main"


def top(
    context: typer.Context,
    url: Url = None,
    board: Annotated[
        str | None,
        typer.Argument(
            metavar="BOARD", help=f"The leaderboard's name. By default, {DEFAULT_BOARD}."
        ),
    ] = None,
    limit: Annotated[
        int, typer.Option(metavar="N", rich_help_panel="Page", help="How many entries to show.")
    ] = ENTRIES,
    after: Annotated[
        str | None,
        typer.Option(
            metavar="PLACE",
            rich_help_panel="Page",
            help="Show entries after this cursor, rank or user id.",
        ),
    ] = None,
    before: Annotated[
        str | None,
        typer.Option(
            metavar="PLACE",
            rich_help_panel="Page",
            help="Show entries before this cursor, rank or user id.",
        ),
    ] = None,
    nickname: Nickname = None,
    token_file: TokenFile = None,
    fresh: Fresh = False,
    token: Token = None,
) -> None:
    """
    Show a leaderboard.

    Examples:
        hubbub top localhost:8000
        hubbub top localhost:8000 main --limit 3 --after 10
    """
    server, board = server_and_rest(context, url, board)
    account = account_of(server, nickname, token_file, fresh=fresh, reads_input=False)
    page = _place(after), _place(before)
    run_signed_in(account, partial(_show, board or DEFAULT_BOARD, limit, *page))


def board_table(entries: Sequence[Entry], own: str) -> Table:
    """
    Show entries as a table.

    Args:
        entries: from the best on.
        own: the user's id; their entry has a colour.
    """
    table = Table("rank", "nickname", "score", box=None, header_style="dim", pad_edge=False)
    table.columns[0].justify = table.columns[2].justify = "right"
    for entry in entries:
        # Plain texts, because a nickname may look like markup.
        cells = (f"{entry.rank:,}", clean(entry.nickname), f"{entry.score:,}")
        table.add_row(*map(Text, cells), style="bold green" if entry.user_id == own else None)
    return table


def page_hint(entries: Sequence[Entry], limit: int) -> str:
    """Say how to see the next page; an empty text if this page is the last."""
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
        which = "in that part of" if paged else "on"
        screen.show(note(f"There are no entries {which} the board {board!r}."))
        return
    Console(highlight=False).print(board_table(entries, session.user.id))
    if hint := page_hint(entries, limit):
        screen.show(note(hint))


def _place(text: str | None) -> int | str | None:
    # As in a URL, a number is a rank.
    return int(text) if text is not None and text.isdecimal() and len(text) < 16 else text
