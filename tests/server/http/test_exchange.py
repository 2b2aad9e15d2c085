"""One request and its answer, as an application sees them."""

from __future__ import annotations

import gc
import logging
import weakref
from typing import Any

import anyio
import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from hubbub.server.http.exchange import Gone
from hubbub.server.http.limits import PIECE_BYTES_MAX
from tests.server.memory_wire import MemoryWire, wired

GET = b"GET /a%20b?c HTTP/1.1\r\nHost: x\r\n\r\n"
START = {"type": "http.response.start", "status": 200, "headers": []}


def body(data: bytes | bytearray = b"", *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": more}


async def wait_for_the_end(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class Answer(bytearray):
    """An answer that can be watched."""


async def answered(app: Any, raw: bytes = GET) -> tuple[list[int], MemoryWire]:
    async with wired(app) as wire:
        wire.http.feed(raw)
        return await wire.statuses(), wire


async def test_the_scope() -> None:
    scopes: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)
        await send(START)
        await send(body())

    await answered(app)

    assert scopes == [
        {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/a b",
            "raw_path": b"/a%20b",
            "query_string": b"c",
            "root_path": "",
            "headers": [(b"host", b"x")],
            "client": ("c", 2),
            "server": ("h", 1),
        }
    ]


async def test_the_body_is_asked_for_when_it_is_wanted() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        await send(START)
        await send(body(message["body"]))

    head = b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    async with wired(app) as wire:
        wire.http.feed(head)
        assert await wire.statuses() == [100]
        wire.http.feed(b"hi")
        assert await wire.statuses() == [100, 200]

        assert wire.sent.endswith(b"2\r\nhi\r\n0\r\n\r\n")


async def test_a_body_that_is_not_wanted_is_not_asked_for() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({**START, "status": 413})
        await send(body())

    head = b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"

    assert (await answered(app, head))[0] == [413]


async def test_a_fault_is_answered_once_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError

    statuses, wire = await answered(app)

    assert (statuses, wire.end) == ([500], "ended")
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


@pytest.mark.parametrize(
    "messages",
    [
        [body()],
        [START, START],
        [START, body(), body()],
        [{"type": "nonsense"}],
        [{**START, "headers": [(b"x", b"\r\n")]}],
        [{**START, "headers": [(b"content-length", b"1")]}, body(b"ab")],
    ],
)
async def test_an_application_that_does_not_keep_to_asgi(
    messages: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    statuses, _ = await answered(app)

    assert len(statuses) == 1
    assert len(caplog.records) == 1


async def test_a_fault_in_the_middle_breaks_the_answer_off(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        await send(body(b"half", more=True))
        raise ValueError

    statuses, wire = await answered(app)

    assert (statuses, wire.end) == ([200], "aborted")
    assert len(caplog.records) == 1


async def test_half_an_answer_is_broken_off(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        await send(body(b"half", more=True))

    assert (await answered(app))[1].end == "aborted"
    assert len(caplog.records) == 1


async def test_nothing_is_sent_behind_a_piece_that_was_cut() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        wires[0].stuck = True
        with anyio.move_on_after(0):
            await send(body(b"cut", more=True))
        wires[0].stuck = False
        await send(body(b"behind"))

    wires: list[MemoryWire] = []
    async with wired(app) as wire:
        wires.append(wire)
        wire.http.feed(GET)
        await wire.statuses()

        assert b"behind" not in wire.sent
        assert wire.end


@pytest.mark.parametrize(
    "error", [Gone(), ClientDisconnect(), ExceptionGroup("", [Gone(), ClientDisconnect()])]
)
async def test_that_a_client_went_is_no_fault(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise error

    assert (await answered(app))[0] == []
    assert caplog.records == []


@pytest.mark.parametrize("in_group", [False, True])
async def test_an_answer_that_nobody_takes_is_forgotten_at_once(in_group: bool) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        answer = Answer(3 * PIECE_BYTES_MAX)
        alive.append(weakref.ref(answer))
        await send(START)
        if not in_group:
            await send(body(answer))
            return
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait_for_the_end, receive)
            await send(body(answer))

    alive: list[weakref.ref[Answer]] = []
    gc.disable()
    try:
        async with wired(app) as wire:
            wire.end = "closed"
            wire.http.feed(GET)
            await wire.statuses()
            assert [answer() for answer in alive] == [None]
    finally:
        gc.enable()


async def test_two_may_wait_for_the_client_to_go() -> None:
    ended = []

    async def wait(receive: Receive) -> None:
        await wait_for_the_end(receive)
        ended.append(1)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait, receive)
            tasks.start_soon(wait, receive)

    async with wired(app) as wire:
        wire.http.feed(GET)
        await wire.statuses()
        wire.http.lost()
        await wire.statuses()

    assert ended == [1, 1]


async def test_a_large_answer_is_sent_in_pieces_and_counted() -> None:
    counts: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        await send(body(bytes(3 * PIECE_BYTES_MAX)))

    async with wired(app) as wire:
        whole, wire.send = wire.send, None  # type: ignore[method-assign,assignment]

        async def counted(data: bytes | memoryview) -> None:
            counts.append(wire.http.unsent.total)
            assert len(data) <= PIECE_BYTES_MAX
            await whole(data)

        wire.http.send = counted
        wire.http.feed(GET)
        await wire.statuses()

        assert max(counts) == 3 * PIECE_BYTES_MAX
        assert wire.http.unsent.total == 0
        assert wire.sent.count(b"\x00") == 3 * PIECE_BYTES_MAX
