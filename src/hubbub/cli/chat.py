"""``hubbub chat``."""

from __future__ import annotations

from contextlib import AsyncExitStack, aclosing
from functools import partial
from typing import Annotated

import anyio
import typer

from ..session import Session
from .account import (
    Account,
    Fresh,
    Nickname,
    Token,
    TokenFile,
    Url,
    account_of,
    server_and_rest,
    sign_in_at,
)
from .commands import CHAT_COMMANDS, carry_out
from .conversation import Conversation
from .encryption import (
    EncryptedOption,
    Encryption,
    KeyStoreFile,
    NewIdentity,
    Recover,
    encrypt_session,
    encryption_of,
)
from .exit import exit_on_error
from .help_pages import REQUIRED
from .screen import Screen, screen_for
from .session import attempt

__all__ = ["chat", "talk"]


def _check_room(context: typer.Context, room: str | None) -> str | None:
    if (
        not context.resilient_parsing
        and server_and_rest(context, context.params["url"], room)[1] is None
    ):
        context.fail("Missing argument 'ROOM'. Name a room, like Welcome.")
    return room


def chat(
    context: typer.Context,
    url: Url = None,
    room: Annotated[
        str | None,
        typer.Argument(
            metavar="ROOM",
            rich_help_panel=REQUIRED,
            callback=_check_room,
            help="The room's name or id. A name without a room makes a new room.",
        ),
    ] = None,
    nickname: Nickname = None,
    token_file: TokenFile = None,
    fresh: Fresh = False,
    encrypted: EncryptedOption = False,
    keys: KeyStoreFile = None,
    recover: Recover = False,
    new_identity: NewIdentity = False,
    token: Token = None,
) -> None:
    """
    Chat in a room.

    Type a message, or /help for the commands. In a pipe, every line is a message, and the
    program ends when the server has them all.

    Examples:
        hubbub chat localhost:8000 Welcome
        hubbub chat https://chat.example.org Welcome --nickname Ann
        echo "The backup is done." | hubbub chat localhost:8000 ops
        hubbub chat localhost:8000 Secrets --encrypted
    """
    server, room = server_and_rest(context, url, room)
    assert room is not None
    account = account_of(server, nickname, token_file, fresh=fresh)
    encryption = None
    if encrypted:
        encryption = encryption_of(keys, recover=recover, new_identity=new_identity)
    with exit_on_error(), screen_for([f"/{name}" for name in CHAT_COMMANDS]) as screen:
        # prompt_toolkit reads a terminal on asyncio only.
        good = anyio.run(_chat, account, screen, room, encryption, backend="asyncio")
    raise typer.Exit(0 if good else 1)


async def _chat(account: Account, screen: Screen, room: str, encryption: Encryption | None) -> bool:
    async with AsyncExitStack() as stack:
        session = await sign_in_at(account, stack, screen)
        if encryption is not None:
            session = await encrypt_session(encryption, session, stack, account.url)
        return await talk(session, screen, room)


async def talk(session: Session, screen: Screen, room: str) -> bool:
    """
    Chat until there are no more lines, or until ``/quit``.

    Args:
        session: the user's.
        screen: where lines come from and go to.
        room: the name or id of the first room.

    Returns:
        True if the server accepted every line.
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
    # At a terminal the user has seen each refusal.
    return good or not screen.patient


def _prompt(conversation: Conversation) -> str:
    return f"{conversation.where}> "
