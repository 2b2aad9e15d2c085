"""What holds for every HTTP request, under any ASGI server: its origin, its host, its answer."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...settings import Settings
from .origin import host_allowed, origin_allowed
from .problem import Misdirected, OtherOrigin, problem_of

__all__ = ["Contained"]

# These change nothing, and a page of another site cannot read their answers.
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
# An answer is for the client that asked, and is of the type that it names.
DEFAULT_HEADERS = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"))


class Contained:
    """
    Lets requests in to an application, and its exceptions not out.

    Args:
        app: the application.
        settings: `allowed_hosts`, `allowed_origins`.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; what is no request goes on as it is."""
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
            # There is nobody to be told.
            return
        except Exception as error:
            if started:
                # Half an answer cannot be made another; the server breaks it off, and logs it.
                raise
            await problem_of(error)(scope, receive, send_on)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        if not host_allowed(headers.get("host"), self._settings):
            raise Misdirected("This server has another name; see the setting allowed_hosts.")
        if scope["method"] in SAFE_METHODS:
            return
        if not origin_allowed(headers.get("origin"), headers.get("host"), self._settings):
            raise OtherOrigin("A page of another site may not do this; see allowed_origins.")


def _with_defaults(given: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    headers = list(given)
    names = {name.lower() for name, _ in headers}
    return headers + [header for header in DEFAULT_HEADERS if header[0] not in names]
