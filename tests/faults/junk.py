"""
Connections of junk, drawn from a seed: what is sent, in which pieces, and how it ends.

No I/O: a script is the same whenever its seed and its number are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Final, Literal, NamedTuple

from tests.blackbox.raw import CLOSE, PING, close_of, frame_of, handshake_of, request_of

__all__ = ["End", "Read", "Script", "Send", "Step", "script_of"]

End = Literal["close", "reset", "half-close", "stay"]

# Of the whole thing is cut off, or a byte of it is another, this often.
CUT: Final = 0.3
CHANGED: Final = 0.15
SEGMENTS_MAX: Final = 6


class Send(NamedTuple):
    """Send bytes, as one segment."""

    data: bytes


class Read(NamedTuple):
    """Wait a moment for an answer."""

    bytes_max: int


Step = Send | Read


class Script(NamedTuple):
    """The actions of one connection."""

    steps: Sequence[Step]
    end: End


def script_of(seed: int, number: int) -> Script:
    """Draw a connection."""
    random = Random(f"{seed} {number}")
    opening, behind = _opening(random), _behind(random)
    steps: list[Step] = []
    if random.random() < 0.5:
        # All at once: what is behind a handshake may be in the same segment.
        steps += _segments(random, _spoilt(random, opening + behind))
    else:
        steps += _segments(random, _spoilt(random, opening))
        steps.append(Read(random.choice([1, 4_096])))
        steps += _segments(random, _spoilt(random, behind))
    if random.random() < 0.3:
        steps.append(Read(4_096))
    ends: list[End] = ["close", "close", "reset", "reset", "reset", "half-close", "stay"]
    return Script(steps, random.choice(ends))


def _opening(random: Random) -> bytes:
    return random.choice(OPENINGS)(random)


def _behind(random: Random) -> bytes:
    return b"".join(random.choice(PARTS)(random) for _ in range(random.randrange(4)))


def _spoilt(random: Random, data: bytes) -> bytes:
    """Cut something off, or change it, or leave it unchanged."""
    if data and random.random() < CUT:
        data = data[: random.randrange(len(data)) + 1]
    if data and random.random() < CHANGED:
        at = random.randrange(len(data))
        data = data[:at] + random.randbytes(random.randrange(3)) + data[at + 1 :]
    return data


def _segments(random: Random, data: bytes) -> list[Send]:
    count = min(len(data), 1 if random.random() < 0.5 else random.randrange(1, SEGMENTS_MAX + 1))
    cuts = sorted(random.sample(range(1, len(data)), count - 1)) if count > 1 else []
    pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    return [Send(piece) for piece in pieces if piece]


def _http(
    random: Random, line: str, *headers: str, body: bytes = b"", length: int | None = None
) -> bytes:
    """Make a request, sometimes with a header that makes it a wrong or an unusual one."""
    lines = [line, "Host: 127.0.0.1", *headers]
    if random.random() < 0.3:
        lines.insert(random.randrange(1, len(lines) + 1), random.choice(ODD_HEADERS))
    if body or length is not None:
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def _sign_in_request(random: Random) -> bytes:
    body = random.choice([b'{"nickname":"Ann"}', b"[" * 9_000, b"\xff", b"", b'{"nickname":1e999}'])
    length = random.choice([None, None, 5, 10_000_000])
    return _http(random, "POST /api/users/sign_in HTTP/1.1", body=body, length=length)


def _chunked(random: Random) -> bytes:
    body = random.choice(
        [
            b"5\r\nabc",
            b"zz\r\n",
            b"0\r\n\r\n",
            b"0\r\nX: y\r\n\r\n",
            b"5;" + b"x" * 9_000,
            b"-1\r\n",
        ]
    )
    line = "POST /api/users/sign_in HTTP/1.1"
    return _http(random, line, "Transfer-Encoding: chunked") + body


def _handshake(random: Random) -> bytes:
    other: dict[str, str | None] = {}
    if random.random() < 0.3:
        name = random.choice(["host", "connection", "upgrade", "sec_websocket_key"])
        other[name] = random.choice([None, "", "x", "\xe9\xff", "websocket, h2c", "a" * 9_000])
    extra = [random.choice(ODD_HEADERS)] if random.random() < 0.3 else []
    target = random.choice(["/ws"] * 8 + ["/%77s", "/ws?a=b", "/x", "//ws", "/ws/", "*"])
    return handshake_of(target, *extra, **other)


def _upgrade_to_http2(random: Random) -> bytes:
    settings = random.choice(["AAMAAABkAAQAAP__", "!!", "", "A" * 9_000])
    return _http(
        random,
        "GET /health HTTP/1.1",
        "Connection: Upgrade, HTTP2-Settings",
        "Upgrade: h2c",
        f"HTTP2-Settings: {settings}",
    )


def _http2(random: Random) -> bytes:
    frames = b"".join(
        random.randrange(64).to_bytes(3, "big") + random.randbytes(6 + random.randrange(64))
        for _ in range(random.randrange(4))
    )
    return b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0)) + frames


def _text(random: Random) -> bytes:
    deep = b"[" * 5_000 + b"]" * 5_000
    return random.choice(
        [
            request_of("session.sign_in", 1, nickname="Ann"),
            request_of("session.sign_in", 1, token="a.b.c"),
            request_of("chat.rooms", 2),
            request_of("users.online", random.choice([None, 10**30, -1, "x" * 100, 1.5])),
            b'{"jsonrpc":"2.0","id":1,"method":"x","params":' + deep + b"}",
            b'{"jsonrpc":"2.0","id":1,"method":"\\ud800"}',
            b"[" + b",".join([request_of("chat.rooms", 3)] * 50) + b"]",
            deep,
            b"\xed\xa0\x80",
            b"",
        ]
    )


def _frame(random: Random) -> bytes:
    payload = _text(random) if random.random() < 0.7 else random.randbytes(random.randrange(200))
    odd = random.random() < 0.3
    return frame_of(
        payload,
        random.randrange(16) if odd else 1,
        final=random.random() < 0.8,
        reserved=random.choice([0, 0, 0, 1, 2, 4]) if odd else 0,
        masked=random.random() < 0.95,
        size_bits=64 if odd else 0,
    )


def _control(random: Random) -> bytes:
    code = random.choice([0, 999, 1_000, 1_001, 1_005, 3_000, 65_535])
    return random.choice(
        [
            close_of(code, random.randbytes(random.randrange(20))),
            close_of(),
            frame_of(b"\x03", CLOSE),
            frame_of(random.randbytes(random.randrange(200)), PING),
            frame_of(b"", PING) * 100,
        ]
    )


ODD_HEADERS: Final = (
    "Host: another",
    "Content-Length: 5",
    "Content-Length: -1",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: xchunked",
    "Expect: 100-continue",
    "Upgrade: foo",
    "X: \xff\xfe\x00",
    "X : space",
    " folded",
    "no colon",
    "X: " + "a" * 40_000,
    "Authorization: Bearer a.b.c",
    "Origin: null",
    "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99",
    "Sec-WebSocket-Extensions: \xe9;;;=",
    "X-Forwarded-For: \xff, ::1, 1.2.3",
)

ODD_METHODS: Final = ("get", "PUT", "CONNECT", "\xff", "")

OPENINGS: Final[Sequence[Callable[[Random], bytes]]] = (
    *[_handshake] * 6,
    _sign_in_request,
    _chunked,
    _upgrade_to_http2,
    _http2,
    lambda random: _http(random, "GET /health HTTP/1.1") * random.randrange(1, 20),
    lambda random: _http(random, "GET / HTTP/1.0", "Connection: keep-alive"),
    lambda random: _http(random, "GET /api/events?stream=index/rooms HTTP/1.1"),
    lambda random: _http(random, random.choice(ODD_METHODS) + " /ws HTTP/1.1"),
    lambda _: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(300),
    lambda random: random.randbytes(random.randrange(1, 400)),
    lambda random: random.choice([b"\r\n", b"\n", b"\0", b" "]) * random.randrange(1, 3_000),
)

PARTS: Final[Sequence[Callable[[Random], bytes]]] = (
    *[_frame] * 4,
    _control,
    lambda _: frame_of(request_of("session.sign_in", 1, nickname="Ann")),
    lambda random: random.randbytes(random.randrange(1, 60)),
    lambda random: b"\x81\xff" + random.randbytes(12),
    lambda random: _http(random, "GET /health HTTP/1.1"),
)
