"""``hubbub watch``."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from ..session import Session
from .account import Fresh, Nickname, Token, TokenFile, Url, account_of, server_and_rest
from .lines import note
from .match_client import MatchClient
from .screen import Screen
from .session import run_signed_in

__all__ = ["watch"]


def watch(
    context: typer.Context,
    url: Url = None,
    match: Annotated[
        str | None,
        typer.Argument(
            metavar="MATCH", help="The match's id. By default, the newest active match."
        ),
    ] = None,
    nickname: Nickname = None,
    token_file: TokenFile = None,
    fresh: Fresh = False,
    token: Token = None,
) -> None:
    """
    Watch a match to its end.

    Examples:
        hubbub watch localhost:8000
    """
    server, match = server_and_rest(context, url, match)
    account = account_of(server, nickname, token_file, fresh=fresh, reads_input=False)
    run_signed_in(account, partial(_watch, match))


async def _watch(match_id: str | None, session: Session, screen: Screen) -> None:
    if match_id is not None:
        match = await session.games.match(match_id)
    elif active := await session.games.matches(status="active", limit=1):
        match = active[0]
    else:
        screen.show(note("There is no active match."))
        return
    await MatchClient(session, match, screen.show).follow()
