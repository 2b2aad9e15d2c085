"""Checks of every HTTP request under any ASGI server, and a response to every exception."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...settings import Settings
from .origin import host_allowed, origin_allowed
from .problem import Misdirected, OtherOrigin, problem_of

__all__ = ["Contained"]

# These methods change nothing, and a page of another site cannot read the responses.
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
# A response is only for the client that asked, and has the type that its header names.
DEFAULT_HEADERS = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"))


class Contained:
    """
    Checks requests to an application, and keeps its exceptions inside.

    Args:
        app: the application.
        settings: `allowed_hosts`, `allowed_origins`.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; pass on messages that are no requests."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_on(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message = {**message, "headers": _with_defaults(message.get("headers", ()))}
            await send(message)

        try:
            self._check(scope)
            await self._app(scope, receive, send_on)
        except ClientDisconnect:
            # The client is gone.
            return
        except Exception as error:
            if started:
                # A response that has begun cannot be replaced: the server breaks it off.
                raise
            await problem_of(error)(scope, receive, send_on)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        if not host_allowed(headers.get("host"), self._settings):
            raise Misdirected("The setting allowed_hosts does not name this Host.")
        if scope["method"] in SAFE_METHODS:
            return
        if not origin_allowed(headers.get("origin"), headers.get("host"), self._settings):
            raise OtherOrigin("The setting allowed_origins does not name the site of this page.")


def _with_defaults(given: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    headers = list(given)
    names = {name.lower() for name, _ in headers}
    return headers + [header for header in DEFAULT_HEADERS if header[0] not in names]
