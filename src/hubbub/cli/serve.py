"""``hubbub serve``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..demo.feature import DEMO, DEMO_NEEDS
from ..errors import Invalid
from ..feature import Feature
from ..hub import Hubbub
from ..settings import Settings
from .assignments import settings_of
from .exit import exit_on_error, fail
from .feature_names import FeatureNames, WithoutNames, features_served
from .first_admin import make_admin

if TYPE_CHECKING:
    from ..server.auth.tokens import Authenticator

__all__ = ["serve_hub"]


Db = Annotated[
    str, typer.Option(help="The database, made if it is not there; memory:// keeps nothing.")
]
Host = Annotated[str, typer.Option(help="The address to listen at.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")]
Loop = Annotated[Literal["asyncio", "trio"], typer.Option(help="The event loop to run on.")]
Demo = Annotated[
    bool,
    typer.Option(
        "--demo", help="Begin with a lobby, a bot that plays, a leaderboard and products."
    ),
]
Admin = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Make this account an admin's; a new one gets the password in "
        "HUBBUB_ADMIN_PASSWORD, or one that is shown once.",
    ),
]
Jwks = Annotated[
    str | None,
    typer.Option(
        metavar="FILE|URL",
        help="A JSON Web Key Set, in a file or at https://…: users sign in with tokens that its "
        "keys verify.",
    ),
]
Audience = Annotated[str | None, typer.Option(help="What `aud` of such a token must be.")]
Issuer = Annotated[str | None, typer.Option(help="What `iss` of such a token must be.")]
Log = Annotated[Literal["text", "json"], typer.Option(help="How logs look.")]
LogLevel = Annotated[
    Literal["debug", "info", "warning", "error"], typer.Option(help="The least to be logged.")
]
Assignments = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="A setting; may be given several times. HUBBUB_NAME in the environment sets it too.",
    ),
]


def serve_hub(
    db: Db = "hubbub.db",
    host: Host = "127.0.0.1",
    port: Port = 8000,
    backend: Loop = "asyncio",
    feature: FeatureNames = None,
    without: WithoutNames = None,
    demo: Demo = False,
    admin: Admin = None,
    jwks: Jwks = None,
    audience: Audience = None,
    issuer: Issuer = None,
    log: Log = "text",
    log_level: LogLevel = "warning",
    set_: Assignments = None,
) -> None:
    """Serve chat, games and a shop over WebSocket and HTTP, until Ctrl-C or SIGTERM."""
    from ..server.logs import configure  # noqa: PLC0415  # only this needs it
    from ..server.run import run  # noqa: PLC0415

    try:
        settings = settings_of(set_ or (), os.environ)
    except Invalid as error:
        raise typer.BadParameter(error.message, param_hint="--set") from error
    features = _features(feature or (), without or (), demo=demo)
    configure(log, log_level)
    authenticator = None
    if jwks is not None:
        authenticator = _authenticator(jwks, audience, issuer, settings)

    def announce(address: str) -> None:
        typer.echo(f"Hubbub serves {address} ({backend}, {db}); stop it with Ctrl-C.")

    with exit_on_error():
        try:
            run(
                db,
                host=host,
                port=port,
                backend=backend,
                settings=settings,
                authenticator=authenticator,
                on_ready=announce,
                prepare=partial(_prepare, admin=admin),
                features=features,
            )
        except OSError as error:
            # create_server adds the address, which is in the line already.
            reason = (error.strerror or str(error)).partition(" (while")[0]
            raise fail(f"Cannot serve at {host}, port {port}: {reason}.") from error


def _authenticator(
    jwks: str, audience: str | None, issuer: str | None, settings: Settings
) -> Authenticator:
    from ..server.auth.jwt_authenticator import JwtAuthenticator  # noqa: PLC0415

    with exit_on_error():
        authenticator = JwtAuthenticator(
            jwks, audience=audience, issuer=issuer, clock=settings.clock
        )
        authenticator.read_keys()
    return authenticator


def _features(named: Sequence[str], left_out: Sequence[str], *, demo: bool) -> list[Feature]:
    features = features_served(named, left_out)
    if not demo:
        return features
    if DEMO_NEEDS.isdisjoint(one.name for one in features):
        text = f"It shows {', '.join(sorted(DEMO_NEEDS))}, and all of them are left out."
        raise typer.BadParameter(text, param_hint="--demo")
    return [*features, DEMO]


async def _prepare(hub: Hubbub, *, admin: str | None) -> None:
    if admin is not None:
        password = await make_admin(hub, admin)
        if password is not None:
            typer.echo(f"The admin {admin} has the password {password}; change it soon.")
