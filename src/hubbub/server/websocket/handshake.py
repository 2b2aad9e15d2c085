"""
The opening handshake of a WebSocket: RFC 6455, section 4.2. No I/O.

The ``websockets`` library checks the fields. The server agrees to no extension: it makes a frame
once for all clients, and a client's frames are never larger than they look.

Almost all clients send the same few fields, in the same form; those are checked here. The library
takes many times as long.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache, partial
from typing import NamedTuple

from websockets.datastructures import Headers
from websockets.exceptions import InvalidHandshake, InvalidOrigin
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol
from websockets.utils import accept_key

from ...settings import Settings
from ...wire.messages import SUBPROTOCOL
from ..http.origin import host_allowed, origin_allowed

__all__ = ["Answer", "Handshakes"]

PROTOCOL = Subprotocol(SUBPROTOCOL)
# The values of browsers and of most programs, in lower case.
USUAL_CONNECTIONS = frozenset({b"upgrade", b"keep-alive, upgrade"})
USUAL_PROTOCOLS = {None: "", SUBPROTOCOL.encode(): f"Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n"}
# Base64 of 16 bytes.
KEY = re.compile(rb"[A-Za-z0-9+/]{22}==")
# Pages whose check is remembered. A stranger can name any, so there is a limit.
PAGES_KEPT_MAX = 64
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
        self._allows = lru_cache(PAGES_KEPT_MAX)(partial(_allows, settings))
        # It keeps nothing of a request, so all requests can share it.
        self._protocol = ServerProtocol(subprotocols=[PROTOCOL], select_subprotocol=_ours)

    def answer(
        self, headers: Iterable[tuple[bytes, bytes]], *, method: str = "GET", version: str = "1.1"
    ) -> Answer:
        """
        Answer a request.

        Args:
            headers: with names in lower case.
            method: of the request.
            version: of HTTP.
        """
        headers = list(headers)
        if method == "GET" and version == "1.1":
            usual = self._answer_usual(headers)
            if usual is not None:
                return usual
        return self._answer_any(headers, method, version)

    def _answer_usual(self, headers: list[tuple[bytes, bytes]]) -> Answer | None:
        """Answer a request as most clients send it; return None for any other."""
        fields = dict(headers)
        protocol = USUAL_PROTOCOLS.get(fields.get(b"sec-websocket-protocol"))
        key, host = fields.get(b"sec-websocket-key", b""), fields.get(b"host")
        if (
            # A name twice is an error for some fields, and a list for others.
            len(fields) != len(headers)
            or protocol is None
            or host is None
            or fields.get(b"upgrade", b"").lower() != b"websocket"
            or fields.get(b"connection", b"").lower() not in USUAL_CONNECTIONS
            or fields.get(b"sec-websocket-version") != b"13"
            or KEY.fullmatch(key) is None
        ):
            return None
        if not self._allows(host, fields.get(b"origin")):
            return Answer(accepted=False, head=FORBIDDEN)
        head = ACCEPTANCE.format(accept_key(key.decode()), protocol)
        return Answer(accepted=True, head=head.encode())

    def _answer_any(
        self, headers: Iterable[tuple[bytes, bytes]], method: str, version: str
    ) -> Answer:
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
        host, origin = hosts[0].encode("latin-1"), origins[0].encode("latin-1") if origins else None
        if not self._allows(host, origin):
            raise InvalidOrigin(origins[0] if origins else None)


def _allows(settings: Settings, host: bytes, origin: bytes | None) -> bool:
    name = host.decode("latin-1")
    page = None if origin is None else origin.decode("latin-1")
    return host_allowed(name, settings) and origin_allowed(page, name, settings)


def _ours(protocol: ServerProtocol, offered: Iterable[str]) -> Subprotocol | None:
    return PROTOCOL if SUBPROTOCOL in offered else None
