"""``hubbub play``."""

from __future__ import annotations

from contextlib import AsyncExitStack, aclosing
from functools import partial
from typing import Annotated

import anyio
import typer

from ..errors import HubbubError
from ..games.match import Match
from ..session import Session
from .account import Account, Fresh, Nickname, Token, Url, sign_in
from .attempt import attempt
from .failing import exit_on_error
from .lines import note
from .screen import Screen, screen_for
from .seat import Seat

__all__ = ["play", "play_match"]


def play(
    url: Url,
    queue: Annotated[
        str, typer.Option(help="What to play; arithmetic comes with the server.")
    ] = "arithmetic",
    timeout: Annotated[
        float, typer.Option(help="How long to look for somebody, in seconds.")
    ] = 60.0,
    nickname: Nickname = None,
    token: Token = None,
    fresh: Fresh = False,
) -> None:
    """
    Play a match in a terminal: the server asks, the first right answer gets the points.

    Who was in a match goes back into it. Lines from a pipe answer one question each.
    """
    account = Account(url, nickname, token, fresh)
    with exit_on_error(), screen_for(["/resign", "/quit", "/help"]) as screen:
        # prompt_toolkit reads a terminal on asyncio only.
        good = anyio.run(_play, account, screen, queue, timeout, backend="asyncio")
    raise typer.Exit(0 if good else 1)


async def _play(account: Account, screen: Screen, queue: str, timeout: float) -> bool:  # noqa: ASYNC109
    async with AsyncExitStack() as stack:
        session = await sign_in(account, stack, screen)
        match = await _match_of(session, screen, queue, timeout)
        return await play_match(Seat(session, match, screen.show), screen)


async def _match_of(session: Session, screen: Screen, queue: str, seconds: float) -> Match:
    for match in reversed(await session.games.matches(status="active")):
        if match.game == queue and session.user.id in match.players:
            screen.show(note("You are in a match already: on with it."))
            return match
    screen.show(note("Looking for somebody to play with …"))
    return await session.games.find_match(queue=queue, timeout=seconds)


async def play_match(seat: Seat, screen: Screen) -> bool:
    """
    Play until the match ends or the person goes away.

    Returns:
        True if nothing went wrong.
    """
    errors: list[HubbubError] = []
    async with anyio.create_task_group() as tasks:

        async def read() -> None:
            await _carry_out_all(seat, screen)
            # A pipe has an end, and the match goes on without it.
            if seat.over or not screen.patient:
                tasks.cancel_scope.cancel()

        tasks.start_soon(read)
        try:
            await seat.follow()
        except HubbubError as raised:
            # Raised here it would come out of the tasks as a group.
            errors.append(raised)
        tasks.cancel_scope.cancel()
    for error in errors:
        screen.complain(error.message)
    return not errors


async def _carry_out_all(seat: Seat, screen: Screen) -> None:
    async with aclosing(screen.lines(lambda: "= ")) as lines:
        async for line in lines:
            if screen.patient and not line.startswith("/"):
                await seat.until_asked()
            await attempt(screen, partial(seat.carry_out, line))
            if seat.over:
                return
