"""One HTTP connection: what is answered, what is refused, and how long anything may take."""

from __future__ import annotations

from typing import Any, Literal

import anyio
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from hubbub.server.http import limits
from hubbub.server.http.connection import refusal
from tests.server.memory_wire import wired

Backend = Literal["asyncio", "trio"]

GET = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
LAST = b"GET /c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
CHUNKED = (
    b"POST /d HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
)
UPGRADE = b"Host: x\r\nConnection: Upgrade\r\nUpgrade: %b\r\n"


async def answer(send: Send, body: bytes = b"ok", status: int = 200) -> None:
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with what came."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body, more = body + message["body"], message["more_body"]
    await answer(send, scope["path"].encode() + b":" + body)


async def careless(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer without looking at the body."""
    await answer(send)


async def busy(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer when the client is gone, and not before."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def test_an_answer_and_what_keeps_the_connection() -> None:
    async with wired(echo) as wire:
        wire.http.feed(GET)
        assert await wire.statuses() == [200]

        assert wire.sent.endswith(b"\r\n\r\n/a:")
        assert b"date: Sat, 28 Nov 2026 12:00:00 GMT\r\n" in wire.sent
        assert (wire.end, wire.deadline, wire.waiting) == ("", limits.IDLE_SECONDS_MAX, True)


async def test_requests_that_come_together_are_answered_in_their_order() -> None:
    async with wired(echo) as wire:
        wire.http.feed(GET + POST + CHUNKED + LAST + GET)
        assert await wire.statuses() == [200] * 4

        ends = [wire.sent.index(part) for part in (b"/a:", b"/b:hello", b"/d:hello", b"/c:")]
        assert ends == sorted(ends)
        assert (wire.end, wire.deadline) == ("ended", limits.LINGER_SECONDS_MAX)


async def test_requests_behind_one_that_is_being_answered_wait_in_the_network() -> None:
    async with wired(busy) as wire:
        wire.http.feed(GET)
        await wire.statuses()
        wire.http.feed(GET * (limits.AHEAD_BYTES_MAX // len(GET)))
        assert not wire.paused
        wire.http.feed(GET * 2)

        assert wire.paused


async def test_a_body_that_is_not_read_waits_in_the_network() -> None:
    async with wired(busy_without_reading) as wire:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
        wire.http.feed(head + bytes(limits.AHEAD_BYTES_MAX + 1))
        await wire.statuses()
        assert not wire.paused
        wire.http.feed(bytes(limits.AHEAD_BYTES_MAX + 1))

        assert wire.paused


async def busy_without_reading(scope: Scope, receive: Receive, send: Send) -> None:
    await anyio.sleep_forever()


async def test_a_body_that_is_read_comes_whole_however_large() -> None:
    whole = bytes(range(256)) * 1_000
    async with wired(echo) as wire:
        wire.http.feed(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(whole))
        for start in range(0, len(whole), 10_000):
            wire.http.feed(whole[start : start + 10_000])
        assert await wire.statuses() == [200]

        assert wire.sent.endswith(b"/:" + whole)
        assert not wire.paused


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"\x16\x03\x01", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET /" + b"a" * limits.HEAD_BYTES_MAX, 414),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400),
    ],
)
async def test_what_is_refused_is_told_and_the_connection_ends(raw: bytes, status: int) -> None:
    async with wired(echo) as wire:
        wire.http.feed(raw)
        assert await wire.statuses() == [status]

        assert b"connection: close\r\n" in wire.sent
        assert (wire.end, wire.deadline) == ("ended", limits.LINGER_SECONDS_MAX)


async def test_after_the_end_only_so_much_is_thrown_away() -> None:
    async with wired(echo) as wire:
        wire.http.feed(b"\x00")
        await wire.statuses()
        wire.http.feed(bytes(limits.LINGER_BYTES_MAX))
        assert wire.end == "ended"
        wire.http.feed(b"x")

        assert wire.end == "aborted"


async def test_after_the_end_it_waits_only_so_long() -> None:
    async with wired(echo) as wire:
        wire.http.feed(b"\x00")
        await wire.statuses()
        wire.http.expired()

        assert wire.end == "aborted"


async def test_an_answer_before_the_body_is_there_ends_the_connection() -> None:
    async with wired(careless) as wire:
        wire.http.feed(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc")
        assert await wire.statuses() == [200]

        assert b"connection: close\r\n" in wire.sent
        assert wire.end == "ended"


async def test_a_body_that_is_there_is_passed_over() -> None:
    async with wired(careless) as wire:
        wire.http.feed(POST + CHUNKED + GET)

        assert await wire.statuses() == [200] * 3
        assert wire.end == ""


# How long anything may take


async def test_a_client_that_says_nothing_is_let_go_without_a_word() -> None:
    async with wired(echo) as wire:
        assert wire.deadline == limits.HEAD_SECONDS_MAX
        wire.http.expired()

        assert (await wire.statuses(), wire.end) == ([], "closed")


async def test_half_a_head_is_told_that_it_took_too_long() -> None:
    async with wired(echo) as wire:
        wire.deadline = None
        wire.http.feed(GET[:10])
        # It does not get longer by a byte now and then.
        assert wire.deadline is None
        wire.http.expired()

        assert await wire.statuses() == [408]


async def test_a_later_request_has_as_long_for_its_head() -> None:
    async with wired(echo) as wire:
        wire.http.feed(GET)
        await wire.statuses()
        wire.http.feed(b"G")
        assert wire.deadline == limits.HEAD_SECONDS_MAX
        wire.deadline = None
        wire.http.feed(b"E")

        assert wire.deadline is None


async def test_half_a_body_is_told_that_it_took_too_long() -> None:
    async with wired(echo) as wire:
        wire.http.feed(POST[:-1])
        await wire.statuses()
        assert wire.deadline == limits.BODY_SECONDS_MAX
        wire.http.expired()

        assert await wire.statuses() == [408]


async def test_a_client_does_not_pay_for_an_application_that_does_not_read() -> None:
    async with wired(busy_without_reading) as wire:
        wire.http.feed(POST[:-1])
        await wire.statuses()
        wire.http.expired()

        assert (await wire.statuses(), wire.deadline) == ([], limits.BODY_SECONDS_MAX)


async def test_while_a_request_is_answered_there_is_no_deadline() -> None:
    async with wired(busy) as wire:
        wire.http.feed(POST)
        await wire.statuses()

        assert (wire.deadline, wire.waiting) == (None, False)


# The client's end


async def test_a_client_that_ends_its_side_still_gets_the_answer() -> None:
    async with wired(echo) as wire:
        wire.http.feed(POST)
        wire.http.feed_eof()

        assert (await wire.statuses(), wire.end) == ([200], "closed")


async def test_the_application_is_told_that_the_client_has_ended() -> None:
    async with wired(busy) as wire:
        wire.http.feed(GET)
        await wire.statuses()
        wire.http.feed_eof()
        await wire.statuses()

        # It sent no answer, which is not to be taken for one.
        assert wire.end in ("closed", "aborted")


async def test_a_connection_that_is_lost_is_not_written_to() -> None:
    async with wired(echo) as wire:
        wire.http.feed(POST)
        wire.http.lost()

        assert (await wire.statuses(), wire.sent) == ([], b"")


async def test_a_client_that_ends_without_a_request() -> None:
    async with wired(echo) as wire:
        wire.http.feed_eof()

        assert wire.end == "closed"


# Upgrades


@pytest.mark.parametrize("path", [b"/ws", b"/%77s", b"/ws?x", b"http://x/ws"])
async def test_a_websocket_is_given_away_with_what_is_behind_it(path: bytes) -> None:
    async with wired(echo) as wire:
        wire.http.feed(b"GET " + path + b" HTTP/1.1\r\n" + UPGRADE % b"WebSocket" + b"\r\n\x81\x80")

        assert wire.taken is not None
        assert wire.taken[1] == b"\x81\x80"
        assert (wire.sent, wire.deadline, wire.waiting) == (b"", None, False)


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /wsx HTTP/1.1\r\n" + UPGRADE % b"websocket" + b"\r\n",
        b"GET /ws HTTP/1.1\r\n" + UPGRADE % b"h2c" + b"\r\n",
        b"GET /ws HTTP/1.0\r\n" + UPGRADE % b"websocket" + b"\r\n",
        b"GET /ws HTTP/1.1\r\n" + UPGRADE % b"websocket" + b"Content-Length: 1\r\n\r\nx",
        b"POST /ws HTTP/1.1\r\n" + UPGRADE % b"websocket" + b"\r\n",
        b"POST /b HTTP/1.1\r\n" + UPGRADE % b"h2c" + b"Content-Length: 5\r\n\r\nhello",
    ],
)
async def test_what_is_no_websocket_is_a_request_like_another(raw: bytes) -> None:
    async with wired(echo) as wire:
        wire.http.feed(raw)

        assert await wire.statuses() == [200]
        assert wire.taken is None


async def test_stopping_ends_after_the_answer() -> None:
    async with wired(echo) as wire, wired(echo) as idle:
        wire.http.feed(POST[:-1])
        await wire.statuses()
        wire.http.shut_down()
        idle.http.shut_down()
        assert (wire.end, idle.end) == ("", "closed")
        wire.http.feed(POST[-1:])

        assert (await wire.statuses(), wire.end) == ([200], "ended")


def test_a_refusal_is_a_problem() -> None:
    head, _, body = refusal(503, "Too many.").partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert msgspec.json.decode(body)["detail"] == "Too many."


# Whatever comes

parts = st.sampled_from([GET, POST, CHUNKED, LAST, UPGRADE, b"\r\n", b"\r\n\r\n", b"0\r\n\r\n"])
acts = st.one_of(
    st.lists(parts | st.binary(max_size=30), max_size=4).map(b"".join),
    st.sampled_from(["expired", "feed_eof", "shut_down", "lost", "let it happen"]),
)


@given(todo=st.lists(acts, max_size=10), app=st.sampled_from([echo, careless, busy]))
def test_whatever_comes_it_ends_alone(backend: Backend, todo: list[Any], app: Any) -> None:
    anyio.run(do, todo, app, backend=backend)


async def do(todo: list[Any], app: Any) -> None:
    async with wired(app) as wire:
        for act in todo:
            if isinstance(act, bytes):
                if wire.end in ("", "ended"):
                    wire.http.feed(act)
            elif act == "let it happen":
                await wire.statuses()
            else:
                getattr(wire.http, act)()
        wire.http.lost()
        await wire.statuses()
