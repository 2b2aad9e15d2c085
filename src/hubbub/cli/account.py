"""Who one is at a server: a token that was given or kept, or a new guest."""

from __future__ import annotations

import getpass
from contextlib import AsyncExitStack
from typing import Annotated, NamedTuple

import typer
from anyio import to_thread

from ..client import connect
from ..errors import NotAllowed
from ..session import Session
from .lines import note
from .screen import Screen
from .tokens import KeptTokens, kept_token

__all__ = ["Account", "Fresh", "Nickname", "Token", "Url", "sign_in_at"]

Url = Annotated[str, typer.Argument(help="The server's, like http://127.0.0.1:8000.")]
Nickname = Annotated[
    str | None, typer.Option(help="What to be called; your login name by default.")
]
Token = Annotated[
    str | None,
    typer.Option(envvar="HUBBUB_TOKEN", help="Says who you are; by default the one kept."),
]
Fresh = Annotated[
    bool, typer.Option("--fresh", help="Be somebody new, even if the nickname is known here.")
]


class Account(NamedTuple):
    """What was said on the command line of who one is."""

    url: str
    nickname: str | None
    token: str | None
    fresh: bool


async def sign_in_at(account: Account, stack: AsyncExitStack, screen: Screen) -> Session:
    """
    Connect, as the same user as the last time if that is known.

    Raises:
        HubbubError: the server does not let one in, or is not there.
    """
    url, nickname, token, fresh = account

    def failed(error: OSError) -> None:
        screen.show(note(f"Who you are cannot be kept for the next time: {error}."))

    if token is not None:
        given = KeptTokens(url, None, token, failed)
        session = connect(url, token=token, nickname=nickname, token_store=given)
        return await stack.enter_async_context(session)
    name = nickname or _login_name()
    kept = None if fresh else await to_thread.run_sync(kept_token, url, name)
    if kept is not None:
        store = KeptTokens(url, name, kept, failed)
        try:
            before = connect(url, token=kept, nickname=name, token_store=store)
            return await stack.enter_async_context(before)
        except NotAllowed:
            screen.show(note(f"The server does not know the {name} of before; you are new."))
    store = KeptTokens(url, name, None, failed)
    return await stack.enter_async_context(connect(url, nickname=name, token_store=store))


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "guest"
