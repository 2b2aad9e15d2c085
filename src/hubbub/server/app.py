"""The ASGI application: WebSocket, HTTP, health."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket

from ..hub import Hubbub
from .auth.tokens import Authenticator
from .gateway import Gateway
from .http.api import http_routes
from .http.containment import Contained
from .http.metrics import metrics_route
from .http.problem import on_http_exception
from .http.static_files import page_routes
from .http.webhooks import webhook_routes
from .websocket.asgi_socket import AsgiSocket
from .websocket.frame_log import mask_frames

__all__ = ["WEBSOCKET_PATH", "create_app"]

WEBSOCKET_PATH = "/ws"


def create_app(
    hub: Hubbub,
    *,
    gateway: Gateway | None = None,
    authenticator: Authenticator | None = None,
    stripe_webhook_secret: str | None = None,
    page: bool = True,
) -> Starlette:
    """
    Make the ASGI application that serves a hub. You can mount it in another application.

    Args:
        hub: an open hub. The code that opened it closes it, after the server has stopped.
        gateway: what connections share, if your code uses it as well; None makes one.
        authenticator: tells which user a token of your application names, if there is no
            gateway.
        stripe_webhook_secret: adds ``/webhooks/stripe``, and verifies what Stripe sends there.
        page: whether to serve the web page as well, at ``/``, ``/admin`` and ``/web/``.

    Raises:
        Invalid: a setting of the hub has no meaning, or there is a webhook secret and no shop.
    """
    mask_frames()
    shared = gateway or Gateway(hub, authenticator)

    async def websocket(socket: WebSocket) -> None:
        # A connection has no task of its own that would meet the hub's check.
        hub.journal.check_home()
        await AsgiSocket(shared, socket).run()

    shown = [feature.name for feature in hub.features]
    routes: list[BaseRoute] = [
        WebSocketRoute(WEBSOCKET_PATH, websocket),
        *http_routes(shared),
        *(page_routes(shown, guests=shared.settings.guests) if page else ()),
        metrics_route(shared),
    ]
    if stripe_webhook_secret is not None:
        routes += webhook_routes(hub, {"stripe": stripe_webhook_secret})
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Contained, settings=shared.settings)],
        exception_handlers={HTTPException: on_http_exception},
    )
    app.state.gateway = shared
    return app
