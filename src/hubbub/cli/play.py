"""``hubbub play``."""

from __future__ import annotations

import math
from contextlib import aclosing
from functools import partial
from typing import Annotated

import anyio
import typer

from ..games.matches.match import Match
from ..session import Session
from .account import Account, Fresh, Nickname, Token, Url
from .lines import note
from .match_client import HOW, MATCH_COMMANDS, MatchClient
from .screen import Screen
from .session import attempt, first_to_end, run_signed_in

__all__ = ["MATCHES", "TIMEOUT_SECONDS", "find", "play", "play_match"]

# How long one looks for somebody to play with.
TIMEOUT_SECONDS = 60.0
# The newest active matches, among which one's own is looked for.
MATCHES = 500


def play(
    url: Url,
    queue: Annotated[
        str, typer.Option(help="What to play; arithmetic comes with the server.")
    ] = "arithmetic",
    nickname: Nickname = None,
    token: Token = None,
    fresh: Fresh = False,
    timeout: Annotated[
        float, typer.Option(help="How long to look for somebody, in seconds.")
    ] = TIMEOUT_SECONDS,
) -> None:
    """
    Play a match in a terminal, or through a pipe.

    The server asks, and the first right answer gets the points. Who was in a match goes
    back into it. Lines from a pipe answer one question each, and it ends with the match.
    """
    account = Account(url, nickname, token, fresh)
    run_signed_in(account, partial(_play, queue, timeout), [f"/{name}" for name in MATCH_COMMANDS])


async def _play(queue: str, seconds: float, session: Session, screen: Screen) -> None:
    match = await find(session, screen, queue, seconds)
    await play_match(MatchClient(session, match, screen.show), screen)


async def find(session: Session, screen: Screen, queue: str, seconds: float) -> Match:
    """
    Return the match that one is in, or find another.

    Args:
        session: who plays.
        screen: where it is told.
        queue: what to play.
        seconds: how long to look for somebody.

    Raises:
        HubbubError: there is none; the message says why.
    """
    own = session.user.id
    for match in reversed(await session.games.matches(status="active", limit=MATCHES)):
        if match.game == queue and own in match.players and own not in match.gone:
            screen.show(note("You are in a match already: on with it."))
            return match
    screen.show(note("Looking for somebody to play with …"))
    return await session.games.find_match(queue=queue, timeout=seconds)


async def play_match(client: MatchClient, screen: Screen) -> None:
    """
    Play until the match ends or the person goes away.

    Raises:
        HubbubError: the match can be followed no more.
    """
    if not screen.patient:
        screen.show(note(f"{HOW} /help shows the rest."))
    await first_to_end(client.follow, partial(_carry_out_all, client, screen))


async def _carry_out_all(client: MatchClient, screen: Screen) -> None:
    async with aclosing(screen.lines(lambda: client.prompt)) as lines:
        async for line in lines:
            # A script answers each question when it is asked.
            if screen.patient and not line.startswith("/"):
                await client.until_asked()
            # Whether the server is there is watched for the whole session.
            await attempt(screen, partial(client.carry_out, line), slow_seconds=math.inf)
            if client.over:
                break
    if screen.patient and not client.over:
        # A pipe has an end, and the match goes on without it.
        await anyio.sleep_forever()
    screen.show(note("You may come back for a little while: play once more."))
