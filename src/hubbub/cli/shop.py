"""``hubbub shop``."""

from __future__ import annotations

import math
from contextlib import aclosing
from functools import partial

import typer

from ..session import Session
from .account import Account, Fresh, Nickname, Token, Url
from .lines import note
from .screen import Screen
from .session import attempt, run_signed_in
from .shop_client import SHOP_COMMANDS, ShopClient

__all__ = ["shop"]


def shop(url: Url, nickname: Nickname = None, token: Token = None, fresh: Fresh = False) -> None:
    """
    Shop in a terminal, or through a pipe.

    The cart stays until you come back. Lines from a pipe are carried out one after another,
    and it ends with 1 if one of them was refused.
    """
    refused: list[str] = []
    run_signed_in(Account(url, nickname, token, fresh), partial(_shop, refused), SHOP_COMMANDS)
    if refused:
        raise typer.Exit(1)


async def _shop(refused: list[str], session: Session, screen: Screen) -> None:
    client = ShopClient(session, screen.show)
    # Whether the server is there is watched for the whole session.
    do = partial(attempt, screen, slow_seconds=math.inf)
    await do(partial(client.carry_out, "list"))
    if not screen.patient:
        screen.show(note("add SKU puts a product into the cart; help shows the rest."))
    async with aclosing(screen.lines(lambda: "shop> ")) as lines:
        async for line in lines:
            if not screen.patient:
                screen.show(note(line))
            good = await do(partial(client.carry_out, line))
            # Who sees a refusal need not be told of it again in the end.
            if screen.patient and not good:
                refused.append(line)
            if client.over:
                break
