"""Attacks by HTTP: heads and bodies without an end, answers that nobody reads, passwords."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

from tests.attack.target import ATTACKER, Attack, Target, connect_and_hold, hold, pour
from tests.blackbox.raw import Raw

__all__ = ["BY_HTTP"]

HOST: Final = b" HTTP/1.1\r\nHost: x\r\n"
SIGN_IN: Final = b"POST /api/users/sign_in" + HOST
CHUNKED: Final = SIGN_IN + b"Transfer-Encoding: chunked\r\n\r\n"
KEPT_CONNECTIONS: Final = 400
READERS: Final = 60


def endless_heads(target: Target) -> None:
    """Send heads that do not end."""
    lines = b"X: " + b"a" * 1_000 + b"\r\n"
    _endless(
        target,
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: ", b"a" * 65_536),
        (b"GET / HTTP/1.1\r\nHost: x\r\n", lines * 64),
        (b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n", lines * 64),
        (b"GET /", b"a" * 65_536),
        (b"GET / HTTP/1.1\r\nHost: x\r\n", b"a:b\r\n" * 10_000),
        (CHUNKED + b"0\r\n", lines * 64),
        (CHUNKED + b"1;", b"a" * 65_536),
    )


def endless_bodies(target: Target) -> None:
    """Send bodies that do not end, also where none is wanted."""
    huge = b"Content-Length: 1000000000000\r\n\r\n"
    _endless(
        target,
        (SIGN_IN + huge, b" " * 65_536),
        (b"GET /health" + HOST + huge, b" " * 65_536),
        (b"POST /" + HOST + huge, b" " * 65_536),
        (b"POST /nothing" + HOST + huge, b" " * 65_536),
        (b"POST /api/chat/send" + HOST + huge, b" " * 65_536),
        (CHUNKED, b"10000\r\n" + b" " * 65_536 + b"\r\n"),
        (CHUNKED, b"1\r\n \r\n" * 10_000),
    )


def half_requests(target: Target) -> None:
    """Send requests without their end, and keep the connections."""
    field = b"X: " + b"a" * 7_000
    halves = [
        b"GET /health" + HOST + field,
        SIGN_IN + b"Content-Length: 60000\r\n\r\n" + b" " * 59_999,
        CHUNKED + b"e000\r\n" + b" " * 50_000,
    ]
    connect_and_hold(target, KEPT_CONNECTIONS, halves)


def unread_answers_over_http(target: Target) -> None:
    """Ask for the longest answers, again and again, and do not read them."""
    room, token = _member(target)
    target.begin()
    line = f"GET /api/chat/history?room_id={room}&limit=500 HTTP/1.1\r\nHost: x\r\n"
    request = f"{line}Authorization: Bearer {token}\r\n\r\n".encode()
    _unread(target, lambda client: client.send(request * 10))


def unread_events(target: Target) -> None:
    """Follow a room by server-sent events from its beginning, and do not read."""
    room, token = _member(target)
    target.begin()
    line = f"GET /api/events?stream=room/{room}&after=0 HTTP/1.1\r\nHost: x\r\n"
    request = f"{line}Authorization: Bearer {token}\r\n\r\n".encode()
    _unread(target, lambda client: client.send(request))


def unread_pages(target: Target) -> None:
    """Ask for large files and do not read them, one request behind the other."""
    block = (b"GET /openapi.json" + HOST + b"\r\n" + b"GET /" + HOST + b"\r\n") * 200
    target.crowd(4, lambda: pour(target, target.connect(reads=False), block))


def wrong_passwords(target: Target) -> None:
    """Try passwords, long and short, for many names."""

    def act() -> None:
        number = target.number()
        password = "x" * (50_000 if number % 2 else 10)
        body = json.dumps({"name": f"name{number % 50}", "password": password}).encode()
        _ask(target, SIGN_IN + _length(body) + body)

    target.crowd(8, act)


def guests(target: Target) -> None:
    """Make guests, all from one address behind a proxy and from many."""

    def act() -> None:
        number = target.number()
        body = json.dumps({"nickname": f"{number} " + "\N{GRINNING FACE}" * 90}).encode()
        client = f"203.0.113.{number % 250 if number % 2 else 9}"
        head = SIGN_IN + f"X-Forwarded-For: {client}\r\n".encode() + _length(body)
        _ask(target, head + body, address="127.0.0.1")

    target.crowd(4, act)


def tokens(target: Target) -> None:
    """Send tokens that are long, deep, or many."""
    deep = "eyJhIjp7ImEiOnsiYSI6e" * 2_000

    def act() -> None:
        token = f"{deep}.{target.number()}.{'A' * 2_000}"
        line = b"GET /api/chat/rooms" + HOST
        _ask(target, line + f"Authorization: Bearer {token[:12_000]}\r\n\r\n".encode())

    target.crowd(4, act)


def _endless(target: Target, *kinds: tuple[bytes, bytes]) -> None:
    def act() -> None:
        first, more = kinds[target.number() % len(kinds)]
        with target.connect() as client:
            client.send(first)
            pour(target, client, more)

    target.crowd(8, act)


def _unread(target: Target, ask: Callable[[Raw], None]) -> None:
    def act() -> None:
        with ExitStack() as stack:
            for _ in range(READERS):
                if not target.going:
                    break
                client = stack.enter_context(target.connect(reads=False))
                ask(client)
            hold(target)

    target.crowd(1, act)


def _ask(target: Target, request: bytes, *, address: str = ATTACKER) -> None:
    with target.connect(address=address) as client:
        client.send(request)
        client.read_head()
        client.read_body()


def _length(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n" % len(body)


def _member(target: Target) -> tuple[str, str]:
    """Join a big room; return it and a token."""
    room = target.big_room()
    with target.connect() as client:
        token = client.sign_in("Reader")["token"]
        client.result("chat.join", room_id=room)
    return room, token


BY_HTTP: Final[dict[str, Attack]] = {
    attack.__name__: attack
    for attack in (
        endless_heads,
        endless_bodies,
        half_requests,
        unread_answers_over_http,
        unread_events,
        unread_pages,
        wrong_passwords,
        guests,
        tokens,
    )
}
