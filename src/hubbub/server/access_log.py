"""The access log: a line for each request and each WebSocket."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from .http.request_head import RequestHead

__all__ = ["ACCESS_LOGGER", "CLIENT_GONE", "AccessLog"]

ACCESS_LOGGER = "hubbub.access"

# The status of a request whose client left before the answer began, as nginx logs it.
CLIENT_GONE = 499
# The longest path in a line, in characters.
PATH_CHARS_MAX = 500
# The longest id of a request in a line, in characters.
REQUEST_ID_CHARS_MAX = 100
# Parameters of a query whose values are logged. The others may be tokens, or texts that a user
# searches for.
SHOWN = frozenset({"after", "before", "limit", "stream"})

# Anything else in the place of a name may be a token.
NAME = re.compile(r"[a-z_]{1,30}")

REQUEST_ID = b"x-request-id"

logger = logging.getLogger(ACCESS_LOGGER)


class AccessLog:
    """
    Logs what clients ask, to the logger ``hubbub.access``, at the level INFO.

    A line has no secret: it shows the names of a query's parameters, and values only of the
    parameters that page through a list.

    Args:
        address_of: tells where a client is, from the other end of the connection and the
            headers: see :meth:`Gateway.address_of`.
        now: a monotonic time in seconds.
    """

    def __init__(
        self,
        address_of: Callable[[str, Iterable[tuple[bytes, bytes]]], str],
        now: Callable[[], float],
    ) -> None:
        self._address_of = address_of
        self.now = now

    def request(
        self, head: RequestHead, scope: Mapping[str, Any], status: int, size: int, began: float
    ) -> None:
        """
        Log a request that has ended.

        Args:
            head: of the request.
            scope: what ASGI says of the connection.
            status: of the answer.
            size: of its body, in bytes.
            began: when the request's head was read.
        """
        if logger.isEnabledFor(logging.INFO):
            self._log(head, _peer_of(scope), status, size, began)

    def refused(self, scope: Mapping[str, Any], status: int) -> None:
        """Log a request that could not be read."""
        if logger.isEnabledFor(logging.INFO):
            client = _peer_of(scope)
            logger.info('%s "-" %d', client, status, extra={"client": client, "status": status})

    def opened(self, head: RequestHead, peer: object, answer: bytes) -> Callable[[], None]:
        """
        Log the opening handshake of a WebSocket.

        Args:
            head: of its request.
            peer: the other end of the connection, as the operating system says it.
            answer: the bytes of the answer's head.

        Returns:
            What logs the WebSocket's end.
        """
        if not logger.isEnabledFor(logging.INFO):
            return _nothing
        began, address = self.now(), _host_of(peer)
        self._log(head, address, int(answer[9:12]), 0, began)
        # Nothing else of the handshake is kept for as long as the WebSocket lasts.
        client, target = self._address_of(address, head.headers), _target_of(head)

        def ended() -> None:
            seconds = self.now() - began
            more = {"client": client, "path": target, "seconds": round(seconds, 3)}
            logger.info(
                '%s "WebSocket %s" closed after %.1f s', client, target, seconds, extra=more
            )

        return ended

    def _log(self, head: RequestHead, peer: str, status: int, size: int, began: float) -> None:
        client = self._address_of(peer, head.headers)
        target, milliseconds = _target_of(head), 1000 * (self.now() - began)
        found = dict(head.headers).get(REQUEST_ID, b"")[:REQUEST_ID_CHARS_MAX]
        request_id = _printable(found)
        more: dict[str, object] = {
            "client": client,
            "method": head.method,
            "path": target,
            "status": status,
            "bytes": size,
            "milliseconds": round(milliseconds, 1),
        }
        if request_id:
            more["request_id"] = request_id
        logger.info(
            '%s "%s %s HTTP/%s" %d %d bytes %.1f ms%s',
            client,
            head.method,
            target,
            head.version,
            status,
            size,
            milliseconds,
            f" id={request_id}" if request_id else "",
            extra=more,
        )


def _target_of(head: RequestHead) -> str:
    """Return a request's path and query without anything secret."""
    path = _printable(head.raw_path)
    if head.query:
        pairs = parse_qsl(head.query.decode("latin-1"), keep_blank_values=True)
        path += "?" + "&".join(_parameter(name, value) for name, value in pairs)
    path = "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in path)
    return path if len(path) <= PATH_CHARS_MAX else f"{path[:PATH_CHARS_MAX]}…"


def _parameter(name: str, value: str) -> str:
    if NAME.fullmatch(name) is None:
        return "…"
    return f"{name}={value if name in SHOWN else '…'}"


def _printable(text: bytes) -> str:
    shown = text.decode("latin-1")
    return "".join(one if " " < one < "\x7f" else "\N{REPLACEMENT CHARACTER}" for one in shown)


def _peer_of(scope: Mapping[str, Any]) -> str:
    return _host_of(scope["client"])


def _host_of(peer: object) -> str:
    # A Unix socket has no address.
    return str(peer[0]) if isinstance(peer, tuple) and peer else ""


def _nothing() -> None:
    pass
