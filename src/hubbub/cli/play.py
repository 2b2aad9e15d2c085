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
from .account import Fresh, Nickname, Token, TokenFile, Url, account_of, server_of
from .lines import note
from .match_client import HOW, MATCH_COMMANDS, MatchClient
from .screen import Screen
from .session import attempt, first_to_end, run_signed_in

__all__ = ["MATCHES", "TIMEOUT_SECONDS", "find", "play", "play_match"]

# How long a search for an opponent takes.
TIMEOUT_SECONDS = 60.0
# The newest active matches, in which the user's own is searched for.
MATCHES = 500


def play(
    context: typer.Context,
    url: Url = None,
    queue: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            rich_help_panel="Match",
            help="The game to play; every server has arithmetic.",
        ),
    ] = "arithmetic",
    timeout: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            rich_help_panel="Match",
            help="How long to search for an opponent.",
        ),
    ] = TIMEOUT_SECONDS,
    nickname: Nickname = None,
    token_file: TokenFile = None,
    fresh: Fresh = False,
    token: Token = None,
) -> None:
    """
    Find an opponent and play a match.

    The server asks questions; the first right answer scores. If you have a match under way,
    you continue it. In a pipe, each line answers one question, and the program ends with the
    match.

    Examples:
        hubbub play localhost:8000
        hubbub play localhost:8000 --nickname Ann --timeout 300
    """
    account = account_of(server_of(context, url), nickname, token_file, fresh=fresh)
    run_signed_in(account, partial(_play, queue, timeout), [f"/{name}" for name in MATCH_COMMANDS])


async def _play(queue: str, seconds: float, session: Session, screen: Screen) -> None:
    match = await find(session, screen, queue, seconds)
    await play_match(MatchClient(session, match, screen.show), screen)


async def find(session: Session, screen: Screen, queue: str, seconds: float) -> Match:
    """
    Return the user's match of a game, or find an opponent for a new one.

    Args:
        session: the player's.
        screen: where progress is shown.
        queue: the game.
        seconds: how long to search for an opponent.

    Raises:
        HubbubError: no opponent was found, or the server has no such game.
    """
    own = session.user.id
    for match in reversed(await session.games.matches(status="active", limit=MATCHES)):
        if match.game == queue and own in match.players and own not in match.gone:
            screen.show(note("You continue your match."))
            return match
    screen.show(note("Searching for an opponent …"))
    return await session.games.find_match(queue=queue, timeout=seconds)


async def play_match(client: MatchClient, screen: Screen) -> None:
    """
    Play until the match ends or the player quits.

    Args:
        client: of the match.
        screen: where answers come from.

    Raises:
        HubbubError: the match cannot be followed any more.
    """
    if not screen.patient:
        screen.show(note(f"{HOW} /help lists the commands."))
    await first_to_end(client.follow, partial(_carry_out_all, client, screen))


async def _carry_out_all(client: MatchClient, screen: Screen) -> None:
    async with aclosing(screen.lines(lambda: client.prompt)) as lines:
        async for line in lines:
            # A script has one line for each question.
            if screen.patient and not line.startswith("/"):
                await client.until_asked()
            # The whole session watches whether the server answers.
            await attempt(screen, partial(client.carry_out, line), slow_seconds=math.inf)
            if client.over:
                break
    if screen.patient and not client.over:
        # The end of a pipe does not end the match.
        await anyio.sleep_forever()
    screen.show(note("Run the command again soon to continue the match."))
