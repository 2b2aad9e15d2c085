"""
The opening handshake of a WebSocket: RFC 6455, section 4.2. No I/O.

The ``websockets`` library checks the fields. The server agrees to no extension: it makes a frame
once for all clients, and a client's frames are never larger than they look.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from websockets.datastructures import Headers
from websockets.exceptions import InvalidHandshake, InvalidOrigin
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from ...settings import Settings
from ...wire.messages import SUBPROTOCOL
from ..http.origin import host_allowed, origin_allowed

__all__ = ["Answer", "Handshakes"]

PROTOCOL = Subprotocol(SUBPROTOCOL)
ACCEPTANCE = (
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: {}\r\n{}\r\n"
)
REFUSAL = (
    b"HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Connection: close\r\nContent-Length: 0\r\n\r\n"
)
FORBIDDEN = b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Answer(NamedTuple):
    """The answer to an opening handshake; if it is a refusal, the connection closes after it."""

    accepted: bool
    head: bytes


class Handshakes:
    """
    Answers opening handshakes.

    Args:
        settings: name the pages that can use the hub; see :func:`origin_allowed`.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # It keeps nothing of a request, so all requests can share it.
        self._protocol = ServerProtocol(subprotocols=[PROTOCOL], select_subprotocol=_ours)

    def answer(
        self, headers: Iterable[tuple[bytes, bytes]], *, method: str = "GET", version: str = "1.1"
    ) -> Answer:
        """
        Answer a request.

        Args:
            headers: names and values.
            method: of the request.
            version: of HTTP.
        """
        fields = Headers()
        for name, value in headers:
            fields.set_insecure(name.decode("latin-1"), value.decode("latin-1"))
        try:
            self._check_origin(fields)
            request = Request("/", fields, method, f"HTTP/{version}")
            accept, _, protocol = self._protocol.process_request(request)
        except InvalidOrigin:
            return Answer(accepted=False, head=FORBIDDEN)
        except InvalidHandshake:
            return Answer(accepted=False, head=REFUSAL)
        named = f"Sec-WebSocket-Protocol: {protocol}\r\n" if protocol else ""
        return Answer(accepted=True, head=ACCEPTANCE.format(accept, named).encode())

    def _check_origin(self, fields: Headers) -> None:
        origins, hosts = fields.get_all("Origin"), fields.get_all("Host")
        if len(hosts) != 1 or len(origins) > 1:
            raise InvalidHandshake("a request has one Host, and at most one Origin")
        if not host_allowed(hosts[0], self._settings):
            raise InvalidOrigin(hosts[0])
        if origins and not origin_allowed(origins[0], hosts[0], self._settings):
            raise InvalidOrigin(origins[0])


def _ours(protocol: ServerProtocol, offered: Iterable[str]) -> Subprotocol | None:
    return PROTOCOL if SUBPROTOCOL in offered else None
