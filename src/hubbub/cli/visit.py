"""Being at a server: signed in, and not for longer than it is there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, suppress
from functools import partial

import anyio

from ..errors import Closed, HubbubError
from ..session import Session
from .account import Account, sign_in_at
from .attempt import attempt
from .beside import first_to_end
from .failing import exit_on_error
from .screen import Screen, screen_for

__all__ = ["AWAY_SECONDS_MAX", "LOOK_SECONDS", "in_reach", "visit"]

# How often one looks whether the server is there.
LOOK_SECONDS = 5.0
# How long the program waits for a server that is gone, in seconds: longer than a restart takes,
# and than a match waits for a player.
AWAY_SECONDS_MAX = 60.0


def visit(
    account: Account, work: Callable[[Session, Screen], Awaitable[None]], words: Iterable[str] = ()
) -> None:
    """
    Sign in, and do something; exit with 1 if it fails, or the server goes away for good.

    Args:
        account: who one is, and where.
        work: what to do.
        words: what a terminal completes.
    """

    async def run() -> None:
        async with AsyncExitStack() as stack:
            session = await sign_in_at(account, stack, screen)
            ask = partial(session.users.get, session.user.id)
            await in_reach(screen, ask, partial(work, session, screen))

    with exit_on_error(), screen_for(words) as screen:
        # prompt_toolkit reads a terminal on asyncio only.
        anyio.run(run, backend="asyncio")


async def in_reach(
    screen: Screen, ask: Callable[[], Awaitable[object]], work: Callable[[], Awaitable[None]]
) -> None:
    """
    Do something that may wait for long; tell when the server does not answer.

    Args:
        screen: where it is told.
        ask: asks the server for anything.
        work: what to do.

    Raises:
        Closed: the server has not answered for too long.
        HubbubError: what the work has raised.
    """
    await first_to_end(work, partial(_until_out_of_reach, screen, ask))


async def _until_out_of_reach(screen: Screen, ask: Callable[[], Awaitable[object]]) -> None:
    async def look() -> None:
        # A refusal is an answer, and the work is told of it as well if it is the end.
        with suppress(HubbubError):
            await ask()

    while True:
        await anyio.sleep(LOOK_SECONDS)
        with anyio.move_on_after(AWAY_SECONDS_MAX) as patience:
            await attempt(screen, look)
        if patience.cancelled_caught:
            raise Closed(
                f"The server has not answered for {AWAY_SECONDS_MAX:.0f} s; is it still running?"
            )
