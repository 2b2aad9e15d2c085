"""One request and its response, as an ASGI application sees them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from traceback import clear_frames
from typing import Any, Protocol

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message

from ...wake_up import WakeUp
from ..websocket.unsent import Unsent
from . import limits
from .request_head import RequestHead
from .response_writer import CONTINUE, ResponseWriter

__all__ = ["Exchange", "Gone", "Owner"]

logger = logging.getLogger("hubbub.server")

FAILURE_HEADERS = [(b"content-length", b"0"), (b"connection", b"close")]


class Gone(Exception):
    """The client has disconnected, or does not read the response."""


class Owner(Protocol):
    """The connection that an exchange is part of."""

    unsent: Unsent

    async def send(self, data: bytes | memoryview) -> None:
        """
        Give bytes to the network; wait until it takes more.

        Raises:
            Gone: the client is gone.
        """

    def fetch(self, exchange: Exchange) -> None:
        """Read more, because the application wants more of the body."""

    def answered(self, exchange: Exchange) -> None:
        """Take the next request, or close."""

    def abort(self) -> None:
        """Break the connection off."""

    def date(self) -> bytes:
        """Return the header's value."""


class Exchange:
    """
    Runs the application for one request.

    Args:
        owner: the connection.
        app: the application.
        head: the request.
        scope: the connection's part of the ASGI scope.
    """

    def __init__(
        self, owner: Owner, app: ASGIApp, head: RequestHead, scope: Mapping[str, Any]
    ) -> None:
        self.writer = ResponseWriter(head.method, head.version, keep_alive=head.keep_alive)
        self.started = False
        # For the access log: the request, and the status and the size of the response.
        self.head = head
        self.status = 0
        self.body_bytes = 0
        # The part of the body that came, and whether there is more.
        self.body = b""
        self.more_body = head.has_body
        self._owner = owner
        self._app = app
        self._scope = _scope_of(head, scope)
        self._expects_continue = head.expects_continue and head.has_body
        self._body_told = False
        # Whether the client sends no more, and whether nothing can be sent to it.
        self._disconnected = False
        self._dropped = False
        self._wake_up = WakeUp()
        self._head = b""
        self._sending = False

    def feed(self, piece: bytes, *, more: bool) -> None:
        """Take a piece of the body."""
        self.body += piece
        self.more_body = more
        self._wake_up.set()

    def disconnect(self) -> None:
        """Tell the application that the client has disconnected."""
        self._disconnected = True
        self._wake_up.set()

    def drop(self) -> None:
        """Tell it so, and send no more."""
        self._dropped = True
        self.disconnect()

    async def run(self) -> None:
        """Answer the request; its failures end here."""
        try:
            await self._app(self._scope, self._receive, self._send)
            if not self.writer.complete and not self._disconnected:
                logger.error("the response to %s is not complete", self._scope["path"])
        except Exception as error:
            if _is_gone(error):
                # The client is gone.
                self.drop()
                _clear(error)
            else:
                logger.exception("%s %s failed", self._scope["method"], self._scope["path"])
        try:
            await self._finish()
        except Gone:
            self.drop()
        self._owner.answered(self)

    async def _finish(self) -> None:
        if self._dropped:
            return
        if self._sending or (self.started and not self.writer.complete):
            # Only breaking off shows the client that the response is not complete.
            self._owner.abort()
        if self.started:
            return
        self.status = 500
        self._head = self.writer.head(500, FAILURE_HEADERS)
        await self._write(*self.writer.body(b"", more=False))

    async def _receive(self) -> Message:
        if self._expects_continue and self.more_body and not self.body and not self.started:
            self._expects_continue = False
            if not self._dropped:
                await self._owner.send(CONTINUE)
        while not self._body_told and not self._dropped:
            if self.body or not self.more_body:
                piece, self.body = self.body, b""
                self._body_told = not self.more_body
                return {"type": "http.request", "body": piece, "more_body": self.more_body}
            if self._disconnected:
                return {"type": "http.disconnect"}
            self._owner.fetch(self)
            if not self.body and self.more_body:
                await self._wait()
        while not self._disconnected and not self.writer.complete:
            await self._wait()
        return {"type": "http.disconnect"}

    async def _wait(self) -> None:
        if not self._disconnected:
            await self._wake_up.wait()

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start" and not self._head and not self.started:
            headers = [(b"date", self._owner.date()), *message.get("headers", ())]
            if self.more_body:
                # The server does not wait for the rest of the body.
                self.writer.keep_alive = False
            # The head goes out with the first piece of the body, as one write.
            self._head = self.writer.head(message["status"], headers)
            self.status = message["status"]
        elif kind == "http.response.body" and not self.writer.complete and self._begun:
            more = message.get("more_body", False)
            await self._write(*self.writer.body(message.get("body", b""), more=more))
            if self.writer.complete:
                self._wake_up.set()
        else:
            raise RuntimeError(f"{kind} is out of place")

    @property
    def _begun(self) -> bool:
        return bool(self._head) or self.started

    async def _write(self, before: bytes, data: bytes, after: bytes) -> None:
        if self._dropped:
            return
        if self._sending:
            # The last piece was cut in the middle; nothing can follow it.
            self._owner.abort()
            raise Gone
        self._sending = self.started = True
        self.body_bytes += len(data)
        before, self._head = self._head + before, b""
        if len(data) <= limits.PIECE_BYTES_MAX:
            await self._owner.send(b"".join((before, data, after)))
        else:
            self._owner.unsent.hold(self._owner, len(data))
            try:
                await self._write_pieces(before, data, after)
            finally:
                self._owner.unsent.hold(self._owner, 0)
        self._sending = False

    async def _write_pieces(self, before: bytes, data: bytes, after: bytes) -> None:
        await self._owner.send(before)
        whole = memoryview(data)
        for start in range(0, len(data), limits.PIECE_BYTES_MAX):
            await self._owner.send(whole[start : start + limits.PIECE_BYTES_MAX])
        await self._owner.send(after)


def _is_gone(error: Exception) -> bool:
    if isinstance(error, ExceptionGroup):
        return error.split((Gone, ClientDisconnect))[1] is None
    return isinstance(error, (Gone, ClientDisconnect))


def _clear(error: BaseException) -> None:
    """Clear its frames: otherwise a response that nobody reads would wait for the collector."""
    clear_frames(error.__traceback__)
    for other in (error.__cause__, error.__context__):
        if other is not None:
            clear_frames(other.__traceback__)
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            _clear(inner)


def _scope_of(head: RequestHead, connection: Mapping[str, Any]) -> dict[str, Any]:
    root: str = connection["root_path"]
    return {
        "type": "http",
        # 2.3: receive() tells the application that the client has disconnected.
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        **connection,
        "http_version": head.version,
        "method": head.method,
        "path": root + head.path,
        "raw_path": root.encode() + head.raw_path,
        "query_string": head.query,
        "headers": head.headers,
    }
