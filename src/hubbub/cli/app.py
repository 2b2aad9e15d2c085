"""The program ``hubbub`` and its commands."""

from __future__ import annotations

import typer

from .backup import backup_database, restore_database
from .chat import chat
from .compact import compact_database
from .erase import erase_user
from .export import export_user
from .migrate import migrate_database
from .play import play
from .serve import serve_hub
from .shop import shop
from .top import top
from .users import users_app
from .verify import verify_database
from .watch import watch

__all__ = ["app"]

app = typer.Typer(
    name="hubbub",
    help="The live parts of an application: a server, a chat, games, a shop, and a check of all.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
app.command("serve")(serve_hub)
app.command()(chat)
app.command()(play)
app.command()(watch)
app.command()(top)
app.command()(shop)
app.command("verify")(verify_database)
app.command("backup")(backup_database)
app.command("restore")(restore_database)
app.command("migrate")(migrate_database)
app.add_typer(users_app, name="users")
app.command("export")(export_user)
app.command("compact")(compact_database)
app.command("erase")(erase_user)
