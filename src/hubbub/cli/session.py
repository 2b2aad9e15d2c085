"""The session of a command, until its work ends or the server stays away."""

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

# After so many seconds without an answer, the program says so.
SLOW_SECONDS = 2.0
# How often the program asks the server for a sign of life, in seconds.
LOOK_SECONDS = 5.0
# How long the program waits for a server that does not answer, in seconds: longer than a restart
# takes, and longer than a match waits for a player.
AWAY_SECONDS_MAX = 60.0


def run_signed_in(
    account: Account, work: Callable[[Session, Screen], Awaitable[None]], words: Iterable[str] = ()
) -> None:
    """
    Sign in and do some work; exit with 1 if it fails, or if the server stays away.

    Args:
        account: the server and the user.
        work: what to do.
        words: what Tab completes.
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
    Do some long work, and show when the server does not answer.

    Args:
        screen: shows it.
        ask: makes any request.
        work: what to do.

    Raises:
        Closed: the server has not answered for ``AWAY_SECONDS_MAX``.
        HubbubError: what the work raised.
    """
    await first_to_end(work, partial(_until_out_of_reach, screen, ask))


async def _until_out_of_reach(screen: Screen, ask: Callable[[], Awaitable[object]]) -> None:
    async def look() -> None:
        # A refusal is an answer. If the session has ended, the work gets the error too.
        with suppress(HubbubError):
            await ask()

    while True:
        await anyio.sleep(LOOK_SECONDS)
        with anyio.move_on_after(AWAY_SECONDS_MAX) as patience:
            await attempt(screen, look)
        if patience.cancelled_caught:
            raise Closed(
                f"The server has not answered for {AWAY_SECONDS_MAX:.0f} s. Is it still running?"
            )


async def first_to_end(*works: Callable[[], Awaitable[None]]) -> None:
    """
    Do several works at once; the first to end cancels the others.

    Raises:
        HubbubError: what the first one raised, by itself and not in a group.
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
    Do some work; show a refusal, and that there is no answer.

    Args:
        screen: shows it. With a patient screen, the work waits for the rate limit and repeats.
        work: what to do.
        slow_seconds: when to show that there is no answer; infinity is never.

    Returns:
        True if it succeeded, False if the server refused it.
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
        screen.show(note("No answer: the connection is lost or slow. Reconnecting …"))

    try:
        async with open_task_group() as tasks:
            tasks.start_soon(show_if_slow)
            await work()
            tasks.cancel_scope.cancel()
    except HubbubError as refused:
        error = refused
    if slow:
        screen.show(note("Connected again."))
    return error
