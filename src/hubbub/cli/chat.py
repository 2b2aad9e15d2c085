"""``hubbub chat``."""

from __future__ import annotations

import getpass
from contextlib import AsyncExitStack, aclosing
from functools import partial
from typing import Annotated, NamedTuple

import anyio
import typer
from anyio import to_thread

from ..client import connect
from ..errors import NotAllowed
from ..session import Session
from .attempt import attempt
from .commands import COMMANDS, carry_out
from .conversation import Conversation
from .failing import exit_on_error
from .lines import note
from .screen import Screen, screen_for
from .tokens import keep_token, kept_token

__all__ = ["chat", "talk"]


def chat(
    url: Annotated[str, typer.Argument(help="The server's, like http://127.0.0.1:8000.")],
    room: Annotated[str, typer.Argument(help="A room's name or id; made if there is none.")],
    nickname: Annotated[
        str | None, typer.Option(help="What to be called; your login name by default.")
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(envvar="HUBBUB_TOKEN", help="Says who you are; by default the one kept."),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Be somebody new, even if the nickname is known here.")
    ] = False,
) -> None:
    """
    Chat in a terminal, or through a pipe.

    Lines from a pipe are sent, and it ends when all of them are acknowledged.
    """
    account = _Account(url, nickname, token, fresh)
    with exit_on_error(), screen_for([f"/{name}" for name in COMMANDS]) as screen:
        # prompt_toolkit reads a terminal on asyncio only.
        good = anyio.run(_chat, account, screen, room, backend="asyncio")
    raise typer.Exit(0 if good else 1)


class _Account(NamedTuple):
    url: str
    nickname: str | None
    token: str | None
    fresh: bool


async def _chat(account: _Account, screen: Screen, room: str) -> bool:
    async with AsyncExitStack() as stack:
        session = await _sign_in(account, stack, screen)
        return await talk(session, screen, room)


async def _sign_in(account: _Account, stack: AsyncExitStack, screen: Screen) -> Session:
    url, nickname, token, fresh = account
    if token is not None:
        return await stack.enter_async_context(connect(url, token=token, nickname=nickname))
    name = nickname or _login_name()
    kept = None if fresh else await to_thread.run_sync(kept_token, url, name)
    session = None
    if kept is not None:
        try:
            session = await stack.enter_async_context(connect(url, token=kept, nickname=name))
        except NotAllowed:
            screen.show(note(f"The server does not know the {name} of before; you are new."))
    if session is None:
        session = await stack.enter_async_context(connect(url, nickname=name))
    try:
        await to_thread.run_sync(keep_token, url, name, session.token)
    except OSError as error:
        screen.show(note(f"Who you are cannot be kept for the next time: {error}."))
    return session


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


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "guest"
