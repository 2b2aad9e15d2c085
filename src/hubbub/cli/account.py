"""The server and the user of a command: what the command line says, and what is stored."""

from __future__ import annotations

import getpass
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from anyio import to_thread

from ..client import connect
from ..client.server_url import is_plainly_address, server_url
from ..errors import Invalid, NotAllowed
from ..session import Session
from .environment import TOKEN_VARIABLE, URL_VARIABLE, first_line
from .lines import note
from .screen import Screen
from .tokens import KeptTokens, kept_token

__all__ = [
    "Account",
    "Fresh",
    "Nickname",
    "Token",
    "TokenFile",
    "Url",
    "account_of",
    "server_and_rest",
    "server_of",
    "sign_in_at",
]

STDIN = Path("-")


def _refuse_token(value: str | None) -> str | None:
    if value is not None:
        raise typer.BadParameter(
            f"Every user of this machine can see the command line. Set {TOKEN_VARIABLE}, or "
            "write the token to a file and use --token-file FILE."
        )
    return value


Url = Annotated[
    str | None,
    typer.Argument(
        metavar="URL",
        help=f"The server, like localhost:8000. You can leave it out if {URL_VARIABLE} is set.",
    ),
]
Nickname = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        rich_help_panel="Your account",
        help="The name that others see. By default, your login name.",
    ),
]
Token = Annotated[str | None, typer.Option("--token", hidden=True, callback=_refuse_token)]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        rich_help_panel="Your account",
        help=f"Sign in with the token in this file, or in {TOKEN_VARIABLE}.",
    ),
]
Fresh = Annotated[
    bool,
    typer.Option(
        "--fresh",
        rich_help_panel="Your account",
        help="Sign in as a new user, even if you used this nickname before.",
    ),
]


class Account(NamedTuple):
    """
    A server, and the user to sign in as.

    Args:
        url: the server's.
        nickname: what others see; None is the login name.
        token: signs in as its user; None for the stored one of the nickname, or a new guest.
        fresh: whether to ignore the stored token.
    """

    url: str
    nickname: str | None
    token: str | None
    fresh: bool


def account_of(
    url: str,
    nickname: str | None,
    token_file: Path | None,
    *,
    fresh: bool,
    reads_input: bool = True,
) -> Account:
    """
    Make an account of what the command line and the environment say.

    Args:
        url: the server's address.
        nickname: of the option.
        token_file: of the option; ``-`` is the standard input.
        fresh: of the option.
        reads_input: whether the command reads the standard input, so that no token can
            come from it.

    Raises:
        typer.BadParameter: the file has no token.
    """
    token = os.environ.get(TOKEN_VARIABLE) or None
    if token_file is not None:
        try:
            token = _token_in(token_file, reads_input=reads_input)
        except Invalid as error:
            raise typer.BadParameter(error.message, param_hint="--token-file") from error
    return Account(server_url(url), nickname, token, fresh)


def server_of(context: typer.Context, url: str | None) -> str:
    """
    Return the address of the server: the argument's, or else the environment's.

    Args:
        context: of the command, which ends if there is none.
        url: the argument.
    """
    found = url or os.environ.get(URL_VARIABLE)
    if not found:
        context.fail(f"Missing argument 'URL'. Name the server, or set {URL_VARIABLE}.")
    return found


def server_and_rest(
    context: typer.Context, url: str | None, rest: str | None
) -> tuple[str, str | None]:
    """
    Tell the server from the other argument of a command.

    If HUBBUB_URL is set, a single argument is the other one, unless it is plainly an address.

    Args:
        context: of the command, which ends if there is no server.
        url: the first argument.
        rest: the second argument.
    """
    if (
        os.environ.get(URL_VARIABLE)
        and url is not None
        and rest is None
        and not is_plainly_address(url)
    ):
        url, rest = None, url
    return server_of(context, url), rest


async def sign_in_at(account: Account, stack: AsyncExitStack, screen: Screen) -> Session:
    """
    Connect, as the same user as the last time if there is a token for the nickname.

    Args:
        account: the server and the user.
        stack: closes the session.
        screen: where a problem with the stored token is shown.

    Raises:
        HubbubError: the server refuses the sign-in, or cannot be reached.
    """
    url, nickname, token, fresh = account

    def failed(error: OSError) -> None:
        screen.show(note(f"Your token cannot be stored, so you will be a new user: {error}."))

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
            screen.show(note(f"The stored token of {name} is not valid any more: a new user."))
    store = KeptTokens(url, name, None, failed)
    return await stack.enter_async_context(connect(url, nickname=name, token_store=store))


def _token_in(file: Path, *, reads_input: bool) -> str:
    if file != STDIN:
        return first_line(file, "--token-file")
    if reads_input:
        raise Invalid("This command reads what you type from the standard input; name a file.")
    token = sys.stdin.readline().strip()
    if not token:
        raise Invalid("There is no token in the standard input.")
    return token


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "guest"
