"""The hub whose users an operator administers: a file that no server has open, or a server."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Annotated, NamedTuple, TypeVar

import anyio
import typer
from anyio import to_thread

from ..client import connect
from ..client.server_url import server_url
from ..errors import Conflict, Invalid
from ..features import ServiceAttributes
from ..opening import open_hub
from ..users.feature import USERS
from .databases import check_ready
from .exit import exit_on_error
from .first_admin import PASSWORD_VARIABLE
from .tokens import KeptTokens

__all__ = ["AdminName", "Administered", "Database", "ServerUrl", "administer", "first_line_of"]

R = TypeVar("R")

DEFAULT_DB = "hubbub.db"

Database = Annotated[
    str | None,
    typer.Option(
        metavar="PATH",
        rich_help_panel="Where",
        help="The database: a file that no server has open, or postgresql://…. By default, "
        "HUBBUB_DB or hubbub.db.",
    ),
]
ServerUrl = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        rich_help_panel="Where",
        help="The address of a running server, instead of a database. HUBBUB_URL sets it too.",
    ),
]
AdminName = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        rich_help_panel="Where",
        help="With --url: sign in as this admin, with the password in HUBBUB_ADMIN_PASSWORD or "
        "the one that you type. Without it, the admin's token is in HUBBUB_TOKEN.",
    ),
]


class Administered(NamedTuple):
    """
    The database or the server that a command is for.

    Args:
        db: a database; None if none was given.
        url: the address of a server; None if none was given.
        admin: the name of the account to sign in with at the server.
    """

    db: str | None
    url: str | None
    admin: str | None


def administer(place: Administered, work: Callable[[ServiceAttributes], Awaitable[R]]) -> R:
    """
    Open a database or connect to a server, and do some work there; exit with 1 if it fails.

    Args:
        place: the database or the server.
        work: what to do, with a session that may do everything to users.
    """

    async def run() -> R:
        async with _session(place) as session:
            return await work(session)

    with exit_on_error():
        return anyio.run(run)


def first_line_of(path: Path) -> str:
    """
    Return the first line of a file with a secret, or of the standard input for ``-``.

    Raises:
        Invalid: the file cannot be read, or has nothing in its first line.
    """
    try:
        text = sys.stdin.readline() if path == Path("-") else path.read_text()
    except (OSError, ValueError) as error:
        raise Invalid(f"{path} cannot be read: {error}.") from error
    line = text.partition("\n")[0].rstrip("\r")
    if not line:
        raise Invalid(f"The first line of {path} is empty; write the secret there.")
    return line


@asynccontextmanager
async def _session(place: Administered) -> AsyncGenerator[ServiceAttributes]:
    url, db = _chosen(place)
    if url is not None:
        async with _connected(server_url(url), place.admin) as session:
            yield session
        return
    await to_thread.run_sync(check_ready, db)
    async with AsyncExitStack() as stack:
        try:
            # Without other features nothing else runs: no match, no payment.
            hub = await stack.enter_async_context(open_hub(db, features=[USERS]))
        except Conflict as error:
            raise Conflict(
                f"A server has {db} open. Stop the server, or use --url with its address."
            ) from error
        yield hub.session_of(hub.itself)


def _chosen(place: Administered) -> tuple[str | None, str]:
    if place.db is not None and place.url is not None:
        raise Invalid("Give --db for a database, or --url for a server, not both.")
    # An option counts more than the environment, whichever of the two it is.
    url = place.url or (None if place.db else os.environ.get("HUBBUB_URL") or None)
    return url, place.db or os.environ.get("HUBBUB_DB") or DEFAULT_DB


@asynccontextmanager
async def _connected(url: str, admin: str | None) -> AsyncGenerator[ServiceAttributes]:
    token = os.environ.get("HUBBUB_TOKEN")
    if admin is not None:
        password = await to_thread.run_sync(_password_of, admin)
        session = connect(url, name=admin, password=password)
    elif token:
        store = KeptTokens(url, None, token, _not_kept)
        session = connect(url, token=token, token_store=store)
    else:
        raise Invalid("Sign in with --admin NAME, or with the token of an admin in HUBBUB_TOKEN.")
    async with session as connected:
        yield connected


def _password_of(admin: str) -> str:
    if given := os.environ.get(PASSWORD_VARIABLE):
        return given
    if not sys.stdin.isatty():
        raise Invalid(f"There is no terminal to ask for the password; set {PASSWORD_VARIABLE}.")
    asked: str = typer.prompt(f"Password of {admin}", hide_input=True, err=True)
    return asked


def _not_kept(error: OSError) -> None:
    typer.echo(f"The new token cannot be kept, and the one before is used up: {error}.", err=True)
