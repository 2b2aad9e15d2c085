"""
One HTTP connection on either backend: requests in, responses out, one after another.

The backends only carry the bytes. This module decides which requests are refused and how long
each step may take, so both backends behave alike.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any, Protocol

from starlette.types import ASGIApp

from ...clock import SystemClock
from ...wire.messages import encode
from ..access_log import CLIENT_GONE, AccessLog
from ..websocket.unsent import Unsent
from . import limits
from .exchange import Exchange, Gone
from .problem import Problem
from .request_head import Refused, RequestHead
from .request_reader import RequestReader
from .response_writer import ResponseWriter

__all__ = ["HttpConnection", "Server", "Wire", "refusal"]


class Wire(Protocol):
    """The backend's side of a connection."""

    async def send(self, data: bytes | memoryview) -> None:
        """
        Give bytes to the network, and wait until it takes more.

        Raises:
            Gone: the client is gone.
        """

    def pause(self) -> None:
        """Read no more for now."""

    def resume(self) -> None:
        """Read again."""

    def set_deadline(self, seconds: float | None) -> None:
        """Call `expired` after so many seconds; this replaces the deadline before."""

    def start(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a task beside reading."""

    def end_writing(self) -> None:
        """Tell the client that no more data comes, after the bytes that were sent."""

    def close(self) -> None:
        """Close after the bytes that were sent, or at the deadline."""

    def abort(self) -> None:
        """Close at once."""

    def take_over(self, head: RequestHead, rest: bytes) -> None:
        """Make a WebSocket of the connection."""


class Server:
    """
    The data that the connections of a server share.

    Args:
        app: the ASGI application.
        path: the WebSockets' whole path, like ``/ws``.
        now: tells the time of day.
        unsent: counts the bytes that wait for clients that do not read; for WebSockets as well.
        access_log: logs every request; by default with the connection's other end as the client.
    """

    def __init__(
        self,
        app: ASGIApp,
        path: str,
        now: Callable[[], datetime],
        unsent: Unsent,
        access_log: AccessLog | None = None,
    ) -> None:
        self.app = app
        self.path = path
        self.unsent = unsent
        self.access_log = access_log or AccessLog(lambda peer, _: peer, SystemClock().monotonic)
        self._now = now
        self._second: datetime | None = None
        self._date = b""

    def date(self) -> bytes:
        """Return the value of the header ``Date``."""
        second = self._now().replace(microsecond=0)
        if second != self._second:
            self._second, self._date = second, format_datetime(second, usegmt=True).encode()
        return self._date


class HttpConnection:
    """
    Serves one connection.

    Args:
        server: the data that it shares with others.
        wire: the backend's side.
        scope: returns its part of the ASGI scope: client, server, scheme, root_path. It is
            called once at most, and not for a WebSocket.
        on_waiting: called with True when the server waits for a request, and with False when
            one comes.
    """

    def __init__(
        self,
        server: Server,
        wire: Wire,
        scope: Callable[[], Mapping[str, Any]],
        on_waiting: Callable[[bool], None],
    ) -> None:
        self.unsent = server.unsent
        self.date = server.date
        self.send = wire.send
        self.abort = wire.abort
        self._server = server
        self._wire = wire
        self._make_scope = scope
        self._made_scope: Mapping[str, Any] | None = None
        self._on_waiting = on_waiting
        self._reader = RequestReader()
        self._exchange: Exchange | None = None
        self._began = 0.0
        # Bytes that came after the last response, or None before it.
        self._thrown_away: int | None = None
        # Whether the next request has begun, the client has ended its side, and we ours.
        self._heard = True
        self._ended = False
        self._our_end = False
        self._stopping = False

    def begin(self) -> None:
        """Wait for the first request."""
        self._on_waiting(True)
        self._wire.set_deadline(limits.HEAD_SECONDS_MAX)

    def feed(self, data: bytes) -> None:
        """Take bytes from the network."""
        if self._thrown_away is not None:
            self._thrown_away += len(data)
            if self._thrown_away > limits.LINGER_BYTES_MAX:
                self._wire.abort()
            return
        self._reader.feed(data)
        self._go_on()

    def feed_eof(self) -> None:
        """Note that the client sends no more; it still gets the response that it waits for."""
        self._ended = True
        if self._exchange is not None:
            self._exchange.disconnect()
        elif self._thrown_away is None or self._our_end:
            self._wire.close()

    def lost(self) -> None:
        """Note that the connection is gone."""
        self._ended = True
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.drop()

    def expired(self) -> None:
        """Refuse or close, at the deadline."""
        if self._thrown_away is not None or self._ended:
            self._wire.abort()
        elif self._exchange is not None and self._exchange.body:
            # The application takes its time; the client cannot send more.
            self._wire.set_deadline(limits.BODY_SECONDS_MAX)
        elif self._exchange is not None or self._reader.ahead:
            self._refuse(Refused(408, "The request took too long."))
        else:
            self._wire.close()

    def shut_down(self) -> None:
        """Close after the response that is being sent."""
        self._stopping = True
        if self._exchange is not None:
            self._exchange.writer.keep_alive = False
        elif self._thrown_away is None:
            self._wire.close()

    def fetch(self, exchange: Exchange) -> None:
        """Read more, because the application wants more of the body."""
        if exchange is self._exchange and self._thrown_away is None:
            self._go_on()

    def answered(self, exchange: Exchange) -> None:
        """Take the next request, or close."""
        status = exchange.status or CLIENT_GONE
        self._server.access_log.request(
            exchange.head, self._scope, status, exchange.body_bytes, self._began
        )
        if exchange is not self._exchange or self._thrown_away is not None:
            return
        self._exchange = None
        if not self._may_go_on(exchange):
            self._close()
            return
        self._on_waiting(True)
        self._heard = False
        self._wire.set_deadline(limits.IDLE_SECONDS_MAX)
        self._wire.resume()
        self._go_on()

    @property
    def _scope(self) -> Mapping[str, Any]:
        if self._made_scope is None:
            self._made_scope = self._make_scope()
        return self._made_scope

    def _may_go_on(self, exchange: Exchange) -> bool:
        if self._ended or self._stopping or not exchange.writer.complete:
            return False
        if not self._reader.complete:
            # The rest of the body may be there already; the server does not wait for it.
            try:
                self._reader.next_piece()
            except Refused:
                return False
        return exchange.writer.keep_alive and self._reader.complete

    def _go_on(self) -> None:
        try:
            if self._exchange is None:
                self._next_request()
            else:
                self._next_piece(self._exchange)
        except Refused as refused:
            self._refuse(refused)
            return
        if self._exchange is not None and self._reader.ahead > limits.AHEAD_BYTES_MAX:
            self._wire.pause()

    def _next_request(self) -> None:
        head = self._reader.next_head()
        if head is None:
            if self._reader.ahead and not self._heard:
                self._heard = True
                self._wire.set_deadline(limits.HEAD_SECONDS_MAX)
            return
        self._on_waiting(False)
        if self._is_for_websocket(head):
            self._thrown_away = 0
            self._wire.set_deadline(None)
            self._wire.take_over(head, self._reader.take_rest())
            return
        self._began = self._server.access_log.now()
        self._exchange = Exchange(self, self._server.app, head, self._scope)
        self._wire.set_deadline(limits.BODY_SECONDS_MAX if head.has_body else None)
        self._next_piece(self._exchange)
        self._wire.start(self._exchange.run)

    def _is_for_websocket(self, head: RequestHead) -> bool:
        return (
            head.path == self._server.path
            and head.method == "GET"
            and not head.has_body
            and b"websocket" in {word.strip() for word in head.upgrade.split(b",")}
        )

    def _next_piece(self, exchange: Exchange) -> None:
        if not exchange.more_body or len(exchange.body) > limits.AHEAD_BYTES_MAX:
            return
        piece = self._reader.next_piece()
        if piece or self._reader.complete:
            exchange.feed(piece, more=not self._reader.complete)
        if self._reader.complete:
            self._wire.set_deadline(None)
        self._wire.resume()

    def _refuse(self, refused: Refused) -> None:
        exchange, self._exchange = self._exchange, None
        self._thrown_away = 0
        self._on_waiting(True)
        self._wire.set_deadline(limits.WRITE_SECONDS_MAX)
        self._wire.resume()
        if exchange is None:
            self._server.access_log.refused(self._scope, refused.status)
        else:
            exchange.drop()
            if exchange.started:
                self._wire.abort()
                return
            exchange.status = refused.status

        async def send() -> None:
            try:
                await self._wire.send(refusal(refused.status, refused.detail))
            except Gone:
                self._wire.abort()
            else:
                self._close()

        self._wire.start(send)

    def _close(self) -> None:
        """End our side, and wait a few seconds for the client to end its own."""
        self._thrown_away = 0
        self._our_end = True
        self._on_waiting(True)
        self._wire.set_deadline(limits.LINGER_SECONDS_MAX)
        if self._ended:
            self._wire.close()
            return
        self._wire.end_writing()
        self._wire.resume()


def refusal(status: int, detail: str) -> bytes:
    """Make a response after which the connection closes."""
    body = encode(Problem(HTTPStatus(status).phrase, status, detail, "invalid"))
    writer = ResponseWriter("", "1.1", keep_alive=False)
    head = writer.head(
        status,
        [
            (b"content-type", b"application/problem+json"),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
        ],
    )
    return head + body
