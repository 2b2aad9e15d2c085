"""``hubbub serve``."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import typer

from ..demo.feature import DEMO, DEMO_NEEDS
from ..errors import Invalid
from ..feature import Feature
from ..hub import Hubbub
from ..settings import Settings
from . import serve_options as of
from .announcement import announcement, cannot_listen, describe_database
from .assignments import SERVE_DEFAULTS, settings_of
from .config_file import Config, config_of, readers_warning
from .environment import unknown_variables, with_secret_files
from .exit import exit_on_error, fail
from .feature_names import FeatureNames, WithoutNames, features_served
from .first_admin import make_admin

if TYPE_CHECKING:
    from ..server.auth.tokens import Authenticator

__all__ = ["serve_hub"]

logger = logging.getLogger("hubbub.cli")


def serve_hub(
    context: typer.Context,
    db: of.Db = "hubbub.db",
    bus: of.BusUrl = None,
    config: Config = None,
    set_: of.Assignments = None,
    host: of.ListenHost = "127.0.0.1",
    port: of.Port = 8000,
    backend: of.Loop = "asyncio",
    feature: FeatureNames = None,
    without: WithoutNames = None,
    demo: of.Demo = False,
    admin: of.Admin = None,
    jwks: of.Jwks = None,
    audience: of.Audience = None,
    issuer: of.Issuer = None,
    log: of.Log = "text",
    log_level: of.LogLevel = "warning",
    access_log: of.LogRequests = False,
) -> None:
    """
    Serve a hub over WebSocket and HTTP.

    Open the address that it prints in a browser for chat, games and a shop. Ctrl+C or
    SIGTERM stops it in order; a second Ctrl+C stops it at once.

    An option comes from the command line, else from the environment (HUBBUB_DB,
    HUBBUB_LOG_LEVEL, …), else from the file of --config. So does a setting
    (HUBBUB_TEXT_CHARS_MAX=500). Give secrets in the environment or in the file only.

    Examples:
        hubbub serve
        hubbub serve --db /var/lib/hubbub/hubbub.db --log json --access-log
        hubbub serve --set message_limit=20 --without shop,games
        hubbub serve --db postgresql://hubbub@db.example/hubbub --bus redis://bus.example
        HUBBUB_SECRET=… hubbub serve --config hubbub.toml
    """
    from ..server.logs import configure  # noqa: PLC0415  # only this needs it
    from ..server.run import run  # noqa: PLC0415

    settings = _settings(context, set_ or ())
    features = _features(feature or (), without or (), demo=demo)
    configure(log, log_level, access=access_log)
    _warn(unknown_variables(os.environ, _variables(context)))
    _warn(readers_warning(config, config_of(context)))
    authenticator = None
    if jwks is not None:
        authenticator = _authenticator(jwks, audience, issuer, settings)
    in_log = log == "json"
    serving = partial(
        run,
        db,
        host=host,
        port=port,
        backend=backend,
        settings=settings,
        authenticator=authenticator,
        on_ready=partial(_announce, describe_database(db), backend, in_log=in_log),
        prepare=partial(_prepare, admin=admin),
        features=features,
        bus=bus,
    )
    _serve(host, port, serving, in_log=in_log)


def _settings(context: typer.Context, assignments: Sequence[str]) -> Settings:
    try:
        environment = with_secret_files(os.environ)
        return settings_of(assignments, environment, config_of(context).settings, SERVE_DEFAULTS)
    except Invalid as error:
        # It may come from the environment or the file just as well.
        raise typer.BadParameter(error.message, param_hint="a setting") from error


def _warn(text: str) -> None:
    if text:
        logger.warning("%s", text)


def _variables(context: typer.Context) -> list[str]:
    """Return the variables that set the options of a command."""
    return [one.envvar for one in context.command.params if isinstance(one.envvar, str)]


def _serve(host: str, port: int, serving: Callable[[], None], *, in_log: bool) -> None:
    with exit_on_error(in_log=in_log):
        try:
            serving()
        except OSError as error:
            raise fail(cannot_listen(host, port, error), in_log=in_log) from error


def _announce(database: str, backend: str, address: str, *, in_log: bool) -> None:
    if in_log:
        # It is shown whatever the level is, because an operator waits for it.
        logger.setLevel(logging.INFO)
        more = {"address": address, "database": database, "backend": backend}
        logger.info("Hubbub serves %s", address, extra=more)
    else:
        typer.echo(announcement(address, database, backend))


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
        text = f"It shows {', '.join(sorted(DEMO_NEEDS))}, but --without leaves all of them out."
        raise typer.BadParameter(text, param_hint="--demo")
    return [*features, DEMO]


async def _prepare(hub: Hubbub, *, admin: str | None) -> None:
    if admin is not None:
        password = await make_admin(hub, admin)
        if password is not None:
            # Never in the log: this is the only place that shows it.
            typer.echo(f"The admin {admin} has the password {password}; change it soon.")
