"""A session of a command: signed in, until its work ends or the server is gone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, suppress
from functools import partial

import anyio

from ..errors import Closed, HubbubError, RateLimited
from ..session import Session
from ..task_group import open_task_group
from .account import Account, sign_in_at
from .exit import exit_on_error
from .lines import note
from .screen import Screen, screen_for

__all__ = [
    "AWAY_SECONDS_MAX",
    "LOOK_SECONDS",
    "SLOW_SECONDS",
    "attempt",
    "first_to_end",
    "run_signed_in",
    "while_reachable",
]

# After so long without an answer the user is told.
SLOW_SECONDS = 2.0
# How often the program looks whether the server is there.
LOOK_SECONDS = 5.0
# How long the program waits for a server that is gone, in seconds: longer than a restart takes,
# and than a match waits for a player.
AWAY_SECONDS_MAX = 60.0


def run_signed_in(
    account: Account, work: Callable[[Session, Screen], Awaitable[None]], words: Iterable[str] = ()
) -> None:
    """
    Sign in, and do something; exit with 1 if it fails, or the server goes away for good.

    Args:
        account: what the command line says about the user and the server.
        work: what to do.
        words: what a terminal completes.
    """

    async def run() -> None:
        async with AsyncExitStack() as stack:
            session = await sign_in_at(account, stack, screen)
            ask = partial(session.users.get, session.user.id)
            await while_reachable(screen, ask, partial(work, session, screen))

    with exit_on_error(), screen_for(words) as screen:
        # prompt_toolkit reads a terminal on asyncio only.
        anyio.run(run, backend="asyncio")


async def while_reachable(
    screen: Screen, ask: Callable[[], Awaitable[object]], work: Callable[[], Awaitable[None]]
) -> None:
    """
    Do something that may wait for long; show when the server does not answer.

    Args:
        screen: where it is shown.
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


async def first_to_end(*works: Callable[[], Awaitable[None]]) -> None:
    """
    Do several things; the first to end, well or badly, ends them all.

    Raises:
        HubbubError: what the first of them raised, by itself and not in a group.
    """
    errors: list[HubbubError] = []
    async with anyio.create_task_group() as tasks:

        async def run(work: Callable[[], Awaitable[None]]) -> None:
            try:
                await work()
            except HubbubError as error:
                errors.append(error)
            tasks.cancel_scope.cancel()

        for work in works:
            tasks.start_soon(run, work)
    if errors:
        raise errors[0]


async def attempt(
    screen: Screen, work: Callable[[], Awaitable[None]], *, slow_seconds: float = SLOW_SECONDS
) -> bool:
    """
    Do something; show if there is no answer, or a refusal.

    Args:
        screen: where it is shown. A patient screen waits until it is its turn again.
        work: what to do.
        slow_seconds: after so long without an answer it is shown; infinity for never.

    Returns:
        True if it was done, False if it was refused.
    """
    while True:
        error = await _refusal(screen, work, slow_seconds)
        if error is None:
            return True
        screen.complain(error.message)
        if not (screen.patient and isinstance(error, RateLimited) and error.retry_after):
            return False
        await anyio.sleep(error.retry_after)


async def _refusal(
    screen: Screen, work: Callable[[], Awaitable[None]], slow_seconds: float
) -> HubbubError | None:
    error, slow = None, False

    async def show_if_slow() -> None:
        nonlocal slow
        await anyio.sleep(slow_seconds)
        slow = True
        screen.show(note("No answer: the connection is lost, or slow. Coming back …"))

    try:
        async with open_task_group() as tasks:
            tasks.start_soon(show_if_slow)
            await work()
            tasks.cancel_scope.cancel()
    except HubbubError as refused:
        error = refused
    if slow:
        screen.show(note("Back again."))
    return error
