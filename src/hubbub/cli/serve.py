"""``hubbub serve``."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from ..errors import Invalid
from ..hub import Hubbub
from ..shop.demo import put_on_sale
from .assignments import settings_of
from .failing import exit_on_error, fail

__all__ = ["serve"]


def serve(
    db: Annotated[
        str, typer.Option(help="The database, made if it is not there; memory:// keeps nothing.")
    ] = "hubbub.db",
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000,
    backend: Annotated[
        Literal["asyncio", "trio"], typer.Option(help="The event loop to run on.")
    ] = "asyncio",
    demo: Annotated[
        bool, typer.Option("--demo", help="Put a few products on sale, to try the shop with.")
    ] = False,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A setting; may be given several times."),
    ] = None,
) -> None:
    """Serve chat, games and a shop over WebSocket and HTTP, until Ctrl-C or SIGTERM."""
    from ..server.run import run  # noqa: PLC0415  # the other commands do not need it

    try:
        settings = settings_of(set_ or ())
    except Invalid as error:
        raise typer.BadParameter(error.message, param_hint="--set") from error

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
                on_ready=announce,
                prepare=_put_on_sale if demo else None,
            )
        except OSError as error:
            # create_server adds the address, which is in the line already.
            reason = (error.strerror or str(error)).partition(" (while")[0]
            raise fail(f"Cannot serve at {host}, port {port}: {reason}.") from error


async def _put_on_sale(hub: Hubbub) -> None:
    async with hub.session("demo", nickname="Demo", role="admin") as admin:
        await put_on_sale(admin.shop)
