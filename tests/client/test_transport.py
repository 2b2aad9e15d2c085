"""The client's WebSocket, against a server that does as it likes."""

from __future__ import annotations

from contextlib import suppress

import anyio
import httpcore2
import pytest
from anyio.abc import SocketStream

from hubbub.client import transport
from hubbub.client.transport import MESSAGE_CHARS_MAX, WebSocket, dialer, socket_url
from hubbub.errors import Invalid
from hubbub.server.websocket.frames import BINARY, CLOSE, PING, PONG, TEXT, close_frame, frame
from hubbub.server.websocket.handshake import Handshakes
from hubbub.settings import Settings
from hubbub.wire.connection_lost import ConnectionLost
from tests.client.raw_server import Script, raw_server, read_frames, read_headers, shake_hands

PATIENCE = 5.0

# Where it connects to


@pytest.mark.parametrize(
    ("url", "socket"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/ws"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000/ws"),
        ("https://example.org/live", "https://example.org/live/ws"),
        ("https://example.org/live/?a=b#c", "https://example.org/live/ws"),
        ("ws://[::1]:8000", "http://[::1]:8000/ws"),
        ("wss://example.org", "https://example.org/ws"),
        ("localhost:8000", "http://localhost:8000/ws"),
        ("chat.example.org/live", "https://chat.example.org/live/ws"),
    ],
)
def test_the_socket_is_below_the_servers_url(url: str, socket: str) -> None:
    assert socket_url(url) == socket


@pytest.mark.parametrize(
    "url", ["", "localhost:port", "ftp://example.org", "http://", "http://a:b"]
)
def test_what_is_no_url_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(Invalid):
        socket_url(url)


# The handshake


async def test_a_handshake_asks_for_the_protocol() -> None:
    seen: list[tuple[bytes, bytes]] = []

    async def script(stream: SocketStream) -> None:
        seen.extend(await read_headers(stream))

    async with raw_server(script) as url:
        with pytest.raises(ConnectionLost):
            await receive_one(url)

    assert (b"sec-websocket-protocol", b"hubbub.v1") in seen
    assert (b"upgrade", b"websocket") in seen


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b"HTTP/1.1 404 Not Found\r\n", "HTTP 404"),
        (b"HTTP/1.1 101 Switching Protocols\r\n", "not that of a WebSocket"),
        (b"SSH-2.0-OpenSSH_9.9\r\n", "1006"),
    ],
)
async def test_another_servers_answer_is_no_connection(head: bytes, reason: str) -> None:
    async def script(stream: SocketStream) -> None:
        await read_headers(stream)
        await stream.send(head + b"Content-Length: 0\r\n\r\n")

    async with raw_server(script) as url:
        with pytest.raises(ConnectionLost, match=reason):
            await receive_one(url)


async def test_a_server_of_another_protocol_is_no_connection() -> None:
    async def script(stream: SocketStream) -> None:
        headers = await read_headers(stream)
        others = [pair for pair in headers if pair[0] != b"sec-websocket-protocol"]
        await stream.send(Handshakes(Settings()).answer(others).head)

    async with raw_server(script) as url:
        with pytest.raises(ConnectionLost, match=r"does not speak hubbub\.v1"):
            await receive_one(url)


async def test_a_server_that_does_not_answer_is_no_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transport, "OPEN_SECONDS_MAX", 0.1)

    async def script(stream: SocketStream) -> None:
        await read_headers(stream)
        await anyio.sleep(PATIENCE)

    async with raw_server(script) as url:
        with pytest.raises(ConnectionLost, match="Timeout"):
            await receive_one(url)


async def test_where_nobody_listens_is_no_connection() -> None:
    async with raw_server(shake_hands) as url:
        pass

    with pytest.raises(ConnectionLost):
        await receive_one(url)


# What it receives


async def test_frames_arrive_one_by_one_however_they_were_cut() -> None:
    sent = [b"1" * 100, "zwölf".encode(), b"3" * 70_000]

    async def script(stream: SocketStream) -> None:
        await shake_hands(stream)
        data = b"".join(map(frame, sent))
        for start in (*range(200), 200):
            await stream.send(data[start : start + 1] if start < 200 else data[start:])
        await stream.receive()

    async with raw_server(script) as url, dialer(url)() as socket:
        received = [await socket.receive() for _ in sent]

    assert [text.encode() for text in received] == sent


async def test_a_message_in_several_frames_is_one() -> None:
    parts = bytes((TEXT, 3)) + b"one" + bytes((0, 3)) + b"two" + bytes((0x80, 5)) + b"three"

    async with raw_server(sends(parts)) as url, dialer(url)() as socket:
        assert await socket.receive() == "onetwothree"


async def test_a_message_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MESSAGE_CHARS_MAX >= 500 * 4_000
    monkeypatch.setattr(transport, "MESSAGE_CHARS_MAX", 5)
    parts = bytes((TEXT, 3)) + b"one" + bytes((0, 3)) + b"two"

    async with raw_server(sends(parts)) as url:
        with pytest.raises(ConnectionLost, match="longer than 5"):
            await receive_one(url)


@pytest.mark.parametrize(
    ("data", "code", "reason"),
    [
        (close_frame(3000, "Come back."), 3000, "Come back."),
        (close_frame(3500, ""), 3500, "closed the connection"),
        (frame(b"", CLOSE), 1005, "closed the connection"),
        (frame(b"\x00", BINARY), 1006, "binary"),
        (b"\xff\xff", 1002, "1002"),
        (frame(b"\xff"), 1007, "1007"),
        (b"", 1006, "ended"),
    ],
)
async def test_an_end_says_why(data: bytes, code: int, reason: str) -> None:
    async def script(stream: SocketStream) -> None:
        await shake_hands(stream)
        if data:
            await stream.send(data)
            await stream.receive()

    async with raw_server(script) as url:
        with pytest.raises(ConnectionLost, match=reason) as lost:
            await receive_one(url)

    assert lost.value.code == code


# Signs of life


async def test_a_ping_is_answered() -> None:
    pongs: list[tuple[int, bytes]] = []

    async def script(stream: SocketStream) -> None:
        await shake_hands(stream)
        await stream.send(frame(b"still there?", PING))
        pongs.extend(await read_frames(stream, 1))
        await stream.send(frame(b"good"))
        await stream.receive()

    async with raw_server(script) as url:
        assert await receive_one(url) == "good"

    assert pongs == [(PONG, b"still there?")]


async def test_a_silent_server_is_asked_and_then_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "PING_SECONDS", 0.05)
    seen: list[tuple[int, bytes]] = []

    async def script(stream: SocketStream) -> None:
        await shake_hands(stream)
        seen.extend(await read_frames(stream, 1))
        await anyio.sleep(PATIENCE)

    async with raw_server(script) as url:
        with pytest.raises(ConnectionLost, match="does not respond"):
            await receive_one(url)

    assert seen == [(PING, b"")]


async def test_a_server_that_answers_the_question_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "PING_SECONDS", 0.05)

    async def script(stream: SocketStream) -> None:
        await shake_hands(stream)
        for _ in range(3):
            await read_frames(stream, 1)
            await stream.send(frame(b"", PONG))
        await stream.send(frame(b"here"))
        await stream.receive()

    async with raw_server(script) as url:
        assert await receive_one(url) == "here"


# What it sends, and how it leaves


async def test_frames_go_out_as_text_and_leaving_says_goodbye() -> None:
    seen: list[tuple[int, bytes]] = []

    async def script(stream: SocketStream) -> None:
        await shake_hands(stream)
        seen.extend(await read_frames(stream, 2))

    async with raw_server(script) as url:
        async with dialer(url)() as socket:
            await socket.send("grüezi".encode())
        with anyio.fail_after(PATIENCE):
            while not seen:
                await anyio.lowlevel.checkpoint()

    assert seen == [(TEXT, "grüezi".encode()), (CLOSE, b"\x03\xe8")]


async def test_a_server_that_does_not_read_holds_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "WRITE_SECONDS_MAX", 0.1)
    monkeypatch.setattr(transport, "CLOSE_SECONDS_MAX", 0.1)

    async def script(stream: SocketStream) -> None:
        await shake_hands(stream)
        await anyio.sleep(PATIENCE)

    async with raw_server(script) as url:
        with anyio.fail_after(PATIENCE / 2):
            async with dialer(url)() as socket:
                # Where the event loop takes everything, there is nothing to wait for either.
                with suppress(ConnectionLost):
                    for _ in range(30):
                        await socket.send(b"x" * 1_000_000)


class Stuck(httpcore2.AsyncNetworkStream):
    """A connection that takes nothing any more."""

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        assert timeout is not None
        raise httpcore2.WriteTimeout


async def test_what_cannot_be_sent_in_time_is_a_loss() -> None:
    with pytest.raises(ConnectionLost, match="broke"):
        await WebSocket(Stuck()).send(b"hello")


async def test_after_the_end_nothing_can_be_sent() -> None:
    async with raw_server(sends(close_frame(3000, ""))) as url:
        lost = await lost_when_sending_after_the_end(url)

    assert "being closed" in lost.reason


def sends(data: bytes) -> Script:
    """Make a script that sends something, and waits for the client to leave."""

    async def script(stream: SocketStream) -> None:
        await shake_hands(stream)
        await stream.send(data)
        await read_frames(stream, 1)

    return script


async def receive_one(url: str) -> str:
    """Connect, and return the first frame."""
    ends: list[ConnectionLost] = []
    with anyio.fail_after(PATIENCE):
        async with dialer(url)() as socket:
            try:
                return await socket.receive()
            except ConnectionLost as lost:
                ends.append(lost)
    raise ends[0]


async def lost_when_sending_after_the_end(url: str) -> ConnectionLost:
    async with dialer(url)() as socket:
        with pytest.raises(ConnectionLost):
            await socket.receive()
        with pytest.raises(ConnectionLost) as lost:
            await socket.send(b"too late")
    return lost.value
