"""``hubbub chat``."""

from __future__ import annotations

from contextlib import AsyncExitStack, aclosing
from functools import partial
from typing import Annotated

import anyio
import typer

from ..session import Session
from .account import Account, Fresh, Nickname, Token, Url, sign_in_at
from .commands import CHAT_COMMANDS, carry_out
from .conversation import Conversation
from .exit import exit_on_error
from .screen import Screen, screen_for
from .session import attempt

__all__ = ["chat", "talk"]


def chat(
    url: Url,
    room: Annotated[str, typer.Argument(help="A room's name or id; made if there is none.")],
    nickname: Nickname = None,
    token: Token = None,
    fresh: Fresh = False,
) -> None:
    """
    Chat in a terminal, or through a pipe.

    Lines from a pipe are sent, and it ends when all of them are acknowledged.
    """
    account = Account(url, nickname, token, fresh)
    with exit_on_error(), screen_for([f"/{name}" for name in CHAT_COMMANDS]) as screen:
        # prompt_toolkit reads a terminal on asyncio only.
        good = anyio.run(_chat, account, screen, room, backend="asyncio")
    raise typer.Exit(0 if good else 1)


async def _chat(account: Account, screen: Screen, room: str) -> bool:
    async with AsyncExitStack() as stack:
        session = await sign_in_at(account, stack, screen)
        return await talk(session, screen, room)


async def talk(session: Session, screen: Screen, room: str) -> bool:
    """
    Chat until there are no more lines, or ``/quit``.

    Returns:
        True if all that was typed could be done.
    """
    async with anyio.create_task_group() as tasks:
        conversation = Conversation(session, screen.show, tasks)
        good = await attempt(screen, partial(_begin, conversation, room))
        if good:
            good = await _carry_out_all(conversation, screen)
        tasks.cancel_scope.cancel()
    if conversation.error is not None:
        screen.complain(conversation.error.message)
    return good and conversation.error is None


async def _begin(conversation: Conversation, room: str) -> None:
    await conversation.begin()
    await conversation.enter(room)


async def _carry_out_all(conversation: Conversation, screen: Screen) -> bool:
    good = True
    async with aclosing(screen.lines(partial(_prompt, conversation))) as lines:
        async for line in lines:
            good &= await attempt(screen, partial(carry_out, conversation, line))
            if conversation.over:
                break
    await conversation.step_out()
    # Who sees a refusal need not be told of it again in the end.
    return good or not screen.patient


def _prompt(conversation: Conversation) -> str:
    return f"{conversation.where}> "
