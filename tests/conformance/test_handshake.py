"""The opening handshake: RFC 6455, section 4.2."""

from __future__ import annotations

import base64
import hashlib
from typing import NamedTuple

import pytest

from tests.blackbox.raw import KEY, Raw, close_of, handshake_of
from tests.blackbox.served import Served
from tests.conformance.outcomes import ANSWERED, HELLO_TEXT, outcome_of

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
REFUSED = (400, 403, 404, 405, 426, 501, 505)


class Asked(NamedTuple):
    """A request, and the statuses that are right; None for a header that is not to be there."""

    name: str
    request: bytes
    right: tuple[int, ...]
    headers: dict[str, str | None] = {}


def without_get(line: str) -> bytes:
    """Put another request line before the usual headers."""
    return b"\r\n".join([line.encode(), handshake_of().partition(b"\r\n")[2]])


CASES = [
    Asked("as it should be", handshake_of(), (101,), {
        "sec-websocket-protocol": "hubbub.v1", "sec-websocket-extensions": None,
    }),
    Asked("names in other cases", handshake_of(
        upgrade="WebSocket", connection="keep-alive, upgrade"), (101,)),
    Asked("an offered extension is not taken", handshake_of(
        "/ws", "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"),
        (101,), {"sec-websocket-extensions": None}),
    Asked("a broken extension is not taken", handshake_of(
        "/ws", "Sec-WebSocket-Extensions: ;;\xe9=,permessage-deflate;server_max_window_bits=99"),
        (101, 400), {"sec-websocket-extensions": None}),
    Asked("no protocol", handshake_of(sec_websocket_protocol=None), (101, 400),
        {"sec-websocket-protocol": None}),
    Asked("another protocol", handshake_of(sec_websocket_protocol="soap"), (101, 400),
        {"sec-websocket-protocol": None}),
    Asked("two protocols", handshake_of(sec_websocket_protocol="soap, hubbub.v1"), (101,),
        {"sec-websocket-protocol": "hubbub.v1"}),
    Asked("two headers of protocols", handshake_of(
        "/ws", "Sec-WebSocket-Protocol: hubbub.v1", sec_websocket_protocol="soap"), (101,),
        {"sec-websocket-protocol": "hubbub.v1"}),
    Asked("two headers of protocols, ours first", handshake_of(
        "/ws", "Sec-WebSocket-Protocol: soap"), (101,),
        {"sec-websocket-protocol": "hubbub.v1"}),
    Asked("version 8", handshake_of(sec_websocket_version="8"), (400, 426),
        {"sec-websocket-version": "13"}),
    Asked("versions 13 and 8", handshake_of(sec_websocket_version="13, 8"), REFUSED),
    Asked("no version", handshake_of(sec_websocket_version=None), REFUSED),
    Asked("no key", handshake_of(sec_websocket_key=None), REFUSED),
    Asked("a key that is not base64", handshake_of(sec_websocket_key="!" * 24), REFUSED),
    Asked("a key of 15 bytes", handshake_of(
        sec_websocket_key=base64.b64encode(bytes(15)).decode()), REFUSED),
    Asked("a key of 17 bytes", handshake_of(
        sec_websocket_key=base64.b64encode(bytes(17)).decode()), REFUSED),
    Asked("two keys", handshake_of("/ws", f"Sec-WebSocket-Key: {KEY}"), REFUSED),
    Asked("Connection without Upgrade", handshake_of(connection="close"), (200, *REFUSED)),
    Asked("no Upgrade", handshake_of(upgrade=None), (200, *REFUSED)),
    Asked("Upgrade to HTTP/2", handshake_of(upgrade="h2c"), (200, *REFUSED)),
    Asked("POST", without_get("POST /ws HTTP/1.1"), REFUSED),
    Asked("HTTP/1.0", without_get("GET /ws HTTP/1.0"), REFUSED),
    Asked("no Host", handshake_of(host=None), REFUSED),
    Asked("two Hosts", handshake_of("/ws", "Host: another"), REFUSED),
    Asked("another path", handshake_of("/wss"), REFUSED),
    Asked("the path with a slash", handshake_of("/ws/"), (307, *REFUSED)),
    Asked("the path with a query", handshake_of("/ws?a=b"), (101,)),
    Asked("bytes that are not ASCII", handshake_of("/ws", "X: \xe9\xff"), (101, 400)),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_handshake_is_answered(server: Served, case: Asked) -> None:
    with Raw(server.port) as client:
        client.send(case.request)
        head = client.read_head()

    assert head.status in case.right
    assert {name: head.headers.get(name) for name in case.headers} == case.headers
    if head.status == 101:
        digest = hashlib.sha1((KEY + GUID).encode(), usedforsecurity=False).digest()
        assert head.headers["sec-websocket-accept"] == base64.b64encode(digest).decode()


@pytest.mark.parametrize("path", ["/%77s", "/%77%73", "//ws", "/./ws", "/ws%00", "/ws;x", "/x"])
def test_no_other_path_is_a_websocket_with_compression(server: Served, path: str) -> None:
    with Raw(server.port) as client:
        client.send(handshake_of(path, "Sec-WebSocket-Extensions: permessage-deflate"))
        head = client.read_head()

    # An encoded path may be the same one; then it is the same socket.
    assert head.status in (101, *REFUSED)
    assert "sec-websocket-extensions" not in head.headers


def test_a_head_of_100_kilobytes_is_refused(server: Served) -> None:
    with Raw(server.port) as client:
        client.send(handshake_of("/ws", "X: " + "a" * 100_000))
        head = client.read_head()

    assert head.status in (400, 413, 431)


def test_a_handshake_may_come_byte_by_byte(server: Served) -> None:
    with Raw(server.port) as client:
        client.send(*(bytes([byte]) for byte in handshake_of() + HELLO_TEXT))
        client.read_head()

        assert outcome_of(client, ANSWERED) == ANSWERED


@pytest.mark.parametrize("at", [0, 1, 6, 9, len(HELLO_TEXT) - 1, len(HELLO_TEXT)])
def test_what_is_behind_the_handshake_is_not_lost(server: Served, at: int) -> None:
    with Raw(server.port) as client:
        client.upgrade(HELLO_TEXT[:at])
        client.send(HELLO_TEXT[at:])

        assert outcome_of(client, ANSWERED) == ANSWERED


@pytest.mark.parametrize("code", [1_000, 1_001, 3_000])
def test_a_close_behind_the_handshake_is_answered(server: Served, code: int) -> None:
    with Raw(server.port) as client:
        client.upgrade(close_of(code))

        assert outcome_of(client) == (f"close {code}", "closed")


def test_a_broken_frame_behind_the_handshake_is_refused(server: Served) -> None:
    with Raw(server.port) as client:
        client.upgrade(b"\xc1\x80" + bytes(4))

        assert outcome_of(client) == ("close 1002", "closed")


def test_a_reset_as_soon_as_the_handshake_is_answered_hurts_nobody(server: Served) -> None:
    for _ in range(200):
        client = Raw(server.port)
        client.send(handshake_of())
        client.socket.recv(1)
        client.reset()

    with Raw(server.port) as other:
        assert other.sign_in()
