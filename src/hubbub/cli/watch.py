"""``hubbub watch`` and ``hubbub top``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import Annotated

import anyio
import typer
from rich.console import Console
from rich.table import Table

from ..games.board import Entry
from ..session import Session
from .account import Account, Fresh, Nickname, Token, Url, sign_in
from .failing import exit_on_error
from .lines import note
from .names import clean
from .screen import Screen, screen_for
from .seat import Seat

__all__ = ["board_table", "top", "watch"]


def watch(
    url: Url,
    match: Annotated[
        str | None, typer.Argument(help="A match's id; the newest that goes on by default.")
    ] = None,
    nickname: Nickname = None,
    token: Token = None,
    fresh: Fresh = False,
) -> None:
    """Watch a match to its end."""
    _run(Account(url, nickname, token, fresh), partial(_watch, match))


def top(
    url: Url,
    board: Annotated[str, typer.Argument(help="A leaderboard's name.")] = "main",
    limit: Annotated[int, typer.Option(help="How many entries.")] = 10,
    nickname: Nickname = None,
    token: Token = None,
    fresh: Fresh = False,
) -> None:
    """Show a leaderboard."""
    _run(Account(url, nickname, token, fresh), partial(_top, board, limit))


def board_table(entries: list[Entry]) -> Table:
    """Show entries as a table."""
    table = Table("", "", "score", box=None, header_style="dim")
    table.columns[0].justify = table.columns[2].justify = "right"
    for entry in entries:
        table.add_row(str(entry.rank), clean(entry.nickname), f"{entry.score:,}")
    return table


def _run(account: Account, work: Callable[[Session, Screen], Awaitable[None]]) -> None:
    async def run() -> None:
        async with AsyncExitStack() as stack:
            await work(await sign_in(account, stack, screen), screen)

    with exit_on_error(), screen_for([]) as screen:
        anyio.run(run, backend="asyncio")


async def _watch(match_id: str | None, session: Session, screen: Screen) -> None:
    if match_id is None:
        active = await session.games.matches(status="active")
        if not active:
            screen.show(note("Nobody plays just now."))
            return
        match = active[-1]
    else:
        match = await session.games.match(match_id)
    await Seat(session, match, screen.show).follow()


async def _top(board: str, limit: int, session: Session, screen: Screen) -> None:
    entries = await session.games.top(board, limit=limit)
    if not entries:
        screen.show(note("Nobody is on this board yet."))
        return
    Console(highlight=False).print(board_table(entries))
