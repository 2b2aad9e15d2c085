"""The program ``hubbub`` and its commands."""

from __future__ import annotations

import typer

from .chat import chat
from .serve import serve
from .verify import verify

__all__ = ["app"]

app = typer.Typer(
    name="hubbub",
    help="The live parts of an application: a chat server, a chat, and a check of what it keeps.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
app.command()(serve)
app.command()(chat)
app.command()(verify)
