"""``hubbub watch``."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from ..session import Session
from .account import Account, Fresh, Nickname, Token, Url
from .lines import note
from .match_client import MatchClient
from .screen import Screen
from .session import run_signed_in

__all__ = ["watch"]


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
    run_signed_in(Account(url, nickname, token, fresh), partial(_watch, match))


async def _watch(match_id: str | None, session: Session, screen: Screen) -> None:
    if match_id is not None:
        match = await session.games.match(match_id)
    elif active := await session.games.matches(status="active", limit=1):
        match = active[0]
    else:
        screen.show(note("Nobody plays just now."))
        return
    await MatchClient(session, match, screen.show).follow()
