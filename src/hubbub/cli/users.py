"""``hubbub users``: list users, create accounts, set passwords and roles, disable users."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..errors import Invalid
from ..features import ServiceAttributes
from ..users.record import UserRecord
from .administered import Administered, AdminName, Database, ServerUrl, administer, first_line_of
from .exit import exit_on_error
from .help_pages import HelpCommand
from .names import clean

__all__ = ["USER_PASSWORD_VARIABLE", "users_app", "users_table"]

USER_PASSWORD_VARIABLE = "HUBBUB_PASSWORD"  # noqa: S105  # it is the name of one
# Users that one request returns.
PAGE = 500
# A line is as wide as its texts; a terminal wraps it, and no id is cut off.
COLUMNS = 1_000

users_app = typer.Typer(
    help="List, create and disable users.\n\nThe commands work on a database that no server has "
    "open, or on a running server with --url.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="The name of the account, or the user's id.")
]
Role = Literal["user", "moderator", "admin"]
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Read the password from the first line of a file; - is the standard input. By "
        "default it is in HUBBUB_PASSWORD, or the command asks you for it.",
    ),
]


@users_app.command("list", cls=HelpCommand)
def list_users(
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    db: Database = None,
    url: ServerUrl = None,
    admin: AdminName = None,
) -> None:
    """
    List all users, with their role and their last sign-in.

    Examples:
        hubbub users list --db hubbub.db
        hubbub users list --url https://chat.example.org --admin Max --json
    """

    async def work(session: ServiceAttributes) -> list[UserRecord]:
        found, after = list[UserRecord](), None
        while page := await session.users.list_users(after=after, limit=PAGE):
            found += page
            after = page[-1].id
        return found

    found = administer(Administered(db, url, admin), work)
    if json:
        for one in found:
            typer.echo(msgspec.json.encode(one).decode())
        return
    Console(highlight=False, width=COLUMNS).print(users_table(found))


@users_app.command("create", cls=HelpCommand)
def create_user(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name of the account.")],
    role: Annotated[
        Role, typer.Option(metavar="ROLE", help="The global role: user, moderator or admin.")
    ] = "user",
    password_file: PasswordFile = None,
    db: Database = None,
    url: ServerUrl = None,
    admin: AdminName = None,
) -> None:
    """
    Create a user with an account.

    The user signs in with the name and the password.

    Examples:
        hubbub users create Ann --role moderator
        hubbub users create Ann --password-file /run/secrets/ann
    """
    password = _new_password(password_file)

    async def work(session: ServiceAttributes) -> UserRecord:
        return await session.users.create_user(name, password, role=role)

    made = administer(Administered(db, url, admin), work)
    typer.echo(f"Created {made.account} with the role {made.role} and the id {made.id}.")


@users_app.command("set-password", cls=HelpCommand)
def set_password(
    name: Name,
    password_file: PasswordFile = None,
    db: Database = None,
    url: ServerUrl = None,
    admin: AdminName = None,
) -> None:
    """Set a password, and revoke the user's sign-ins."""
    password = _new_password(password_file)

    async def work(session: ServiceAttributes) -> UserRecord:
        found = await session.users.find(name)
        return await session.users.set_password(found.id, password)

    changed = administer(Administered(db, url, admin), work)
    typer.echo(f"{changed.account} has a new password; all earlier sign-ins are revoked.")


@users_app.command("role", cls=HelpCommand)
def set_role(
    name: Name,
    role: Annotated[
        Role, typer.Argument(metavar="ROLE", help="The new role: user, moderator or admin.")
    ],
    db: Database = None,
    url: ServerUrl = None,
    admin: AdminName = None,
) -> None:
    """Give a user another global role."""

    async def work(session: ServiceAttributes) -> str:
        found = await session.users.find(name)
        return (await session.users.set_role(found.id, role)).nickname

    nickname = administer(Administered(db, url, admin), work)
    typer.echo(f"{clean(nickname)} has the role {role} now.")


@users_app.command("disable", cls=HelpCommand)
def disable_user(
    name: Name, db: Database = None, url: ServerUrl = None, admin: AdminName = None
) -> None:
    """Disable a user, and revoke their sign-ins."""

    async def work(session: ServiceAttributes) -> UserRecord:
        return await session.users.disable((await session.users.find(name)).id)

    changed = administer(Administered(db, url, admin), work)
    typer.echo(f"{clean(changed.nickname)} is disabled; all sign-ins are revoked.")


@users_app.command("enable", cls=HelpCommand)
def enable_user(
    name: Name, db: Database = None, url: ServerUrl = None, admin: AdminName = None
) -> None:
    """Let a disabled user sign in again."""

    async def work(session: ServiceAttributes) -> UserRecord:
        return await session.users.enable((await session.users.find(name)).id)

    changed = administer(Administered(db, url, admin), work)
    typer.echo(f"{clean(changed.nickname)} can sign in again.")


def users_table(users: Sequence[UserRecord]) -> Table:
    """Show users as a table, one a line."""
    heads = ("id", "nickname", "account", "role", "status", "joined", "signed in")
    table = Table(*heads, box=None, header_style="dim", pad_edge=False)
    for column in table.columns:
        column.no_wrap = True
    for one in users:
        signed_in = "" if one.signed_in_at is None else f"{one.signed_in_at:%Y-%m-%d %H:%M}"
        shown = (
            clean(one.id),
            clean(one.nickname),
            clean(one.account or ("(guest)" if one.guest else "")),
            one.role,
            "disabled" if one.disabled else one.status,
            f"{one.joined_at:%Y-%m-%d}",
            signed_in,
        )
        # As texts, for a nickname may look like markup.
        table.add_row(*map(Text, shown))
    return table


def _new_password(file: Path | None) -> str:
    with exit_on_error():
        if file is not None:
            return first_line_of(file)
        if given := os.environ.get(USER_PASSWORD_VARIABLE):
            return given
        if not sys.stdin.isatty():
            raise Invalid(
                f"There is no terminal to ask for the password; set {USER_PASSWORD_VARIABLE}, or "
                "use --password-file FILE."
            )
    asked: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return asked
