"""Connections to an application without a network, in virtual time too."""

from __future__ import annotations

from typing import Any, Literal

import anyio
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

import hubbub
from hubbub.errors import Closed, Invalid, NotAllowed, RateLimited
from hubbub.server import Gateway, create_app
from hubbub.server.gateway import COME_BACK
from hubbub.testing import VirtualClock, in_memory, run_in_virtual_time
from hubbub.testing.in_memory import ANSWER_SECONDS_MAX, FRAMES_MAX
from hubbub.wire.connection_lost import ConnectionLost

BACKENDS = ("asyncio", "trio")
Backend = Literal["asyncio", "trio"]


async def test_two_talk_through_a_mounted_application() -> None:
    async with hubbub.open("memory://") as hub:
        dialer = in_memory(Starlette(routes=[Mount("/live", create_app(hub))]))
        url = "http://test/live/"
        async with (
            hubbub.connect(url, dialer=dialer, nickname="Ann") as ann,
            hubbub.connect(url, dialer=dialer, nickname="Bob") as bob,
        ):
            room = await ann.chat.create_room("Lobby")
            await bob.chat.join(room.id)
            async with bob.follow(room.stream) as events:
                sent = await ann.chat.send(room.id, "hi")
                heard = await anext(events)

        assert (heard.seq, heard.by) == (sent.seq, ann.user.id)
        assert hub.presence.online() == []


async def test_a_refusal_is_the_same_error() -> None:
    async with hubbub.open("memory://") as hub:
        dialer = in_memory(create_app(hub))
        with pytest.raises(NotAllowed):
            async with hubbub.connect("http://test", dialer=dialer, token="made up"):
                pytest.fail("the token is not good")


async def come_back() -> None:
    async with hubbub.open("memory://", settings=hubbub.Settings(clock=VirtualClock())) as hub:
        gateway = Gateway(hub)
        dialer = in_memory(create_app(hub, gateway=gateway))
        async with hubbub.connect("http://test", dialer=dialer, nickname="Ann") as ann:
            room = await ann.chat.create_room("Lobby")
            async with ann.follow(room.stream, after=0) as events:
                first = await anext(events)
                gateway.close_all(COME_BACK, "in a moment")
                await ann.chat.send(room.id, "back again")
                second = await anext(events)

            assert (first.seq, second.seq) == (1, 2)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_session_reconnects_in_virtual_time(backend: Backend) -> None:
    run_in_virtual_time(come_back, backend=backend)


async def wait_a_minute() -> float:
    settings = hubbub.Settings(message_limit=1, clock=VirtualClock())
    async with hubbub.open("memory://", settings=settings) as hub:
        dialer = in_memory(create_app(hub))
        async with hubbub.connect("http://test", dialer=dialer, nickname="Ann") as ann:
            room = await ann.chat.create_room("Lobby")
            await ann.chat.send(room.id, "one")
            with pytest.raises(RateLimited) as refused:
                await ann.chat.send(room.id, "two")
            await anyio.sleep(refused.value.retry_after or 0)
            await ann.chat.send(room.id, "two")
            return anyio.current_time()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_minute_passes_at_once(backend: Backend) -> None:
    assert run_in_virtual_time(wait_a_minute, backend=backend) >= 60


async def nothing_there() -> str:
    dialer = in_memory(Starlette())
    with pytest.raises(Closed) as refused:
        async with hubbub.connect("http://test/live", dialer=dialer, nickname="Ann"):
            pytest.fail("there is nothing")
    return refused.value.message


@pytest.mark.parametrize("backend", BACKENDS)
def test_where_nothing_is_mounted_the_error_says_so(backend: Backend) -> None:
    message = run_in_virtual_time(nothing_there, backend=backend)

    assert "does not accept a WebSocket there" in message


async def test_an_application_that_fails_ends_its_connection_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def failing(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept", "subprotocol": "hubbub.v1"})
        await receive()
        raise OSError("the disk is gone")

    async with in_memory(failing)("http://test")() as transport:
        await transport.send(b"{}")
        with pytest.raises(ConnectionLost, match="the disk is gone"):
            await transport.receive()
        with pytest.raises(ConnectionLost):
            await transport.send(b"{}")

    assert "the disk is gone" in caplog.text


async def test_what_is_no_hubbub_is_not_connected_to() -> None:
    async def other(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})

    with pytest.raises(ConnectionLost, match=r"does not speak hubbub\.v1"):
        async with in_memory(other)("http://test")():
            pytest.fail("it speaks something else")


async def silent() -> float:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await anyio.sleep_forever()

    with pytest.raises(ConnectionLost, match="does not accept"):
        async with in_memory(app)("http://test")():
            pytest.fail("it says nothing")
    return anyio.current_time()


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_application_that_says_nothing_is_not_waited_for_for_ever(backend: Backend) -> None:
    took = run_in_virtual_time(silent, backend=backend)

    # Once to accept, and once to end.
    assert took == pytest.approx(2 * ANSWER_SECONDS_MAX, abs=1)


async def test_what_the_application_does_not_read_waits() -> None:
    read = anyio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept", "subprotocol": "hubbub.v1"})
        await read.wait()
        while (await receive())["type"] != "websocket.disconnect":
            pass

    async with in_memory(slow)("http://test")() as transport:
        for _ in range(FRAMES_MAX):
            await transport.send(b"{}")
        with anyio.move_on_after(0.01) as patience:
            await transport.send(b"{}")
        read.set()

    assert patience.cancelled_caught


@pytest.mark.parametrize("url", ["test", "ftp://test", "http://"])
async def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(Invalid, match="Use a URL"):
        async with hubbub.connect(url, dialer=in_memory(Starlette()), nickname="Ann"):
            pytest.fail("it is no URL")
