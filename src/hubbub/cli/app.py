"""The program ``hubbub`` and its commands."""

from __future__ import annotations

from typing import Annotated

import typer

from .lazy_commands import LazyCommand, LazyGroup

__all__ = ["COMMANDS", "app"]

# A command's name -> where it is. To add a command, add a line here.
COMMANDS = {
    "serve": LazyCommand("serve", "serve_hub", "Serve a hub over WebSocket and HTTP.", "Server"),
    "cluster": LazyCommand(
        "cluster",
        "run_cluster",
        "Run several nodes on this machine, with a PostgreSQL and a Valkey of their own.",
        "Server",
    ),
    "plan": LazyCommand(
        "plan", "plan_cluster", "Compute what a cluster needs for a load.", "Server"
    ),
    "chat": LazyCommand("chat", "chat", "Chat in a room.", "Clients"),
    "play": LazyCommand("play", "play", "Find an opponent and play a match.", "Clients"),
    "watch": LazyCommand("watch", "watch", "Watch a match to its end.", "Clients"),
    "top": LazyCommand("top", "top", "Show a leaderboard.", "Clients"),
    "shop": LazyCommand("shop", "shop", "Fill a cart and pay.", "Clients"),
    "users": LazyCommand("users", "users_app", "List, create and disable users.", "Users"),
    "export": LazyCommand(
        "export", "export_user", "Write everything that a database holds about a user.", "Users"
    ),
    "erase": LazyCommand("erase", "erase_user", "Erase the texts and names of a user.", "Users"),
    "verify": LazyCommand("verify", "verify_database", "Check a whole database.", "Databases"),
    "repair": LazyCommand(
        "repair", "repair_database", "Make a sound database of a damaged one.", "Databases"
    ),
    "backup": LazyCommand(
        "backup", "backup_database", "Copy a database, also while it is served.", "Databases"
    ),
    "restore": LazyCommand(
        "backup", "restore_database", "Make a database from a copy.", "Databases"
    ),
    "renew": LazyCommand(
        "renew",
        "renew_database",
        "Begin a new history after a restore by other tools.",
        "Databases",
    ),
    "copy": LazyCommand(
        "copy_journal",
        "copy_database",
        "Copy a database between SQLite and PostgreSQL.",
        "Databases",
    ),
    "migrate": LazyCommand(
        "migrate", "migrate_database", "Bring an older database to this version.", "Databases"
    ),
    "compact": LazyCommand(
        "compact", "compact_database", "Make the file of a database smaller.", "Databases"
    ),
    "simulate": LazyCommand(
        "simulate",
        "simulate_system",
        "Run a whole system in one process, with everything going wrong.",
        "Testing",
    ),
}


class _Program(LazyGroup):
    lazy = COMMANDS


app = typer.Typer(
    name="hubbub",
    cls=_Program,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415  # only this needs it

        typer.echo(f"hubbub {version('hubbub')}")
        raise typer.Exit


@app.callback(epilog="`hubbub COMMAND --help` shows the options of a command, with examples.")
def _program(
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_show_version, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Chat rooms, matches with leaderboards, and carts with checkout, from one file."""
