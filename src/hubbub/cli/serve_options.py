"""The options of ``hubbub serve``. Each is a variable of the environment as well."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

__all__ = [
    "Admin",
    "Assignments",
    "Audience",
    "BusUrl",
    "Db",
    "Demo",
    "Issuer",
    "Jwks",
    "ListenHost",
    "Log",
    "LogLevel",
    "LogRequests",
    "Loop",
    "Port",
]


def _option(variable: str, group: str, text: str, metavar: str | None = None, **more: Any) -> Any:
    return typer.Option(
        *more.pop("names", ()),
        envvar=variable,
        show_envvar=False,
        rich_help_panel=group,
        help=text,
        metavar=metavar,
        **more,
    )


Db = Annotated[
    str,
    _option(
        "HUBBUB_DB",
        "Database and settings",
        "The database: a file, which is made if there is none, or postgresql://…, which several "
        "servers can share. memory:// keeps nothing.",
        "PATH",
    ),
]
BusUrl = Annotated[
    str | None,
    _option(
        "HUBBUB_BUS",
        "Database and settings",
        "With postgresql://: a Valkey or Redis server that makes delivery between many servers "
        "quicker. By default, PostgreSQL does it.",
        "URL",
    ),
]
Assignments = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        rich_help_panel="Database and settings",
        help="Change a setting, like text_chars_max=500. You can give it several times.",
    ),
]
ListenHost = Annotated[
    str,
    _option(
        "HUBBUB_HOST",
        "Network",
        "The address to listen at; 0.0.0.0 is every address of this machine.",
        "ADDRESS",
    ),
]
Port = Annotated[
    int,
    _option(
        "HUBBUB_PORT",
        "Network",
        "The port to listen at; 0 takes a free one.",
        "PORT",
        min=0,
        max=65535,
    ),
]
Loop = Annotated[
    Literal["asyncio", "trio"],
    _option("HUBBUB_BACKEND", "Network", "The event loop to run on.", "asyncio|trio"),
]
Demo = Annotated[
    bool,
    _option(
        "HUBBUB_DEMO",
        "Features",
        "Begin with a lobby, a bot that plays, a leaderboard and products.",
        names=["--demo"],
    ),
]
Admin = Annotated[
    str | None,
    _option(
        "HUBBUB_ADMIN",
        "Users",
        "Make this account an admin. A new account gets the password in HUBBUB_ADMIN_PASSWORD, "
        "or a random one that is shown once.",
        "NAME",
    ),
]
Jwks = Annotated[
    str | None,
    _option(
        "HUBBUB_JWKS",
        "Users",
        "Accept your application's own tokens, signed by a key of this JSON Web Key Set, in a "
        "file or at https://….",
        "FILE|URL",
    ),
]
Audience = Annotated[
    str | None,
    _option(
        "HUBBUB_AUDIENCE",
        "Users",
        "The value that the claim `aud` of such a token must have.",
        "TEXT",
    ),
]
Issuer = Annotated[
    str | None,
    _option(
        "HUBBUB_ISSUER",
        "Users",
        "The value that the claim `iss` of such a token must have.",
        "TEXT",
    ),
]
Log = Annotated[
    Literal["text", "json"],
    _option("HUBBUB_LOG", "Logs", "Lines to read, or one JSON object a line.", "text|json"),
]
LogLevel = Annotated[
    Literal["debug", "info", "warning", "error"],
    _option("HUBBUB_LOG_LEVEL", "Logs", "Log debug, info, warning or error, and worse.", "LEVEL"),
]
LogRequests = Annotated[
    bool,
    _option(
        "HUBBUB_ACCESS_LOG", "Logs", "Log every request and WebSocket.", names=["--access-log"]
    ),
]
