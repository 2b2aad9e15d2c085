"""``hubbub shop``."""

from __future__ import annotations

import math
from contextlib import aclosing
from functools import partial

import typer

from ..session import Session
from .account import Fresh, Nickname, Token, TokenFile, Url, account_of, server_of
from .lines import note
from .screen import Screen
from .session import attempt, run_signed_in
from .shop_client import SHOP_COMMANDS, ShopClient

__all__ = ["shop"]


def shop(
    context: typer.Context,
    url: Url = None,
    nickname: Nickname = None,
    token_file: TokenFile = None,
    fresh: Fresh = False,
    token: Token = None,
) -> None:
    """
    Fill a cart and pay.

    The server keeps your cart until you return. In a pipe, each line is a command, and the
    program exits with 1 if the server refused one.

    Examples:
        hubbub shop localhost:8000
        printf 'add mouse 2\\ncart\\n' | hubbub shop localhost:8000
    """
    refused: list[str] = []
    account = account_of(server_of(context, url), nickname, token_file, fresh=fresh)
    run_signed_in(account, partial(_shop, refused), SHOP_COMMANDS)
    if refused:
        raise typer.Exit(1)


async def _shop(refused: list[str], session: Session, screen: Screen) -> None:
    client = ShopClient(session, screen.show)
    # The whole session watches whether the server answers.
    do = partial(attempt, screen, slow_seconds=math.inf)
    await do(partial(client.carry_out, "list"))
    if not screen.patient:
        screen.show(note("add SKU puts a product into the cart; help lists the commands."))
    async with aclosing(screen.lines(lambda: "shop> ")) as lines:
        async for line in lines:
            if not screen.patient:
                screen.show(note(line))
            good = await do(partial(client.carry_out, line))
            # At a terminal the user has seen each refusal.
            if screen.patient and not good:
                refused.append(line)
            if client.over:
                break
