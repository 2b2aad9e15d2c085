"""WebSockets through any ASGI server: its two callables, by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import msgspec
import pytest
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from starlette.applications import Starlette
from starlette.routing import Mount

import hubbub
from hubbub import Settings
from hubbub.server import Gateway, create_app
from hubbub.server.sends import SEND_SECONDS_MAX
from hubbub.server.websocket.asgi_socket import LAST_SECONDS_MAX, OUTBOX_BYTES_MAX
from hubbub.testing import VirtualClock, run_in_virtual_time
from tests.event_loop import Backend
from tests.server.running import SETTINGS

PATIENCE = 5.0


class Browser:
    """The other end of an ASGI application."""

    def __init__(self, sends: Any, receives: Any) -> None:
        self._sends: MemoryObjectSendStream[dict[str, Any]] = sends
        self._receives: MemoryObjectReceiveStream[dict[str, Any]] = receives
        self._last_id = 0
        # Cancelling it is what a server does to the tasks that are left when it stops.
        self.server: anyio.CancelScope

    async def receive(self) -> dict[str, Any]:
        """Return the next ASGI message."""
        with anyio.fail_after(PATIENCE):
            return await self._receives.receive()

    async def message(self) -> Any:
        """Return the next frame's JSON."""
        return msgspec.json.decode((await self.receive())["text"])

    async def send(self, **payload: Any) -> None:
        """Send one frame."""
        await self._sends.send({"type": "websocket.receive", **payload})

    async def post(self, method: str, **params: Any) -> None:
        """Send a request."""
        self._last_id += 1
        request = {"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params}
        await self.send(text=msgspec.json.encode(request).decode())

    async def ask(self, method: str, **params: Any) -> Any:
        """Send a request and return its answer."""
        await self.post(method, **params)
        while True:
            message = await self.message()
            if isinstance(message, dict) and message.get("id") == self._last_id:
                return message

    async def leave(self, code: int = 1000) -> None:
        """Close."""
        await self._sends.send({"type": "websocket.disconnect", "code": code})


@asynccontextmanager
async def browsing(app: Any, path: str = "/ws") -> AsyncIterator[Browser]:
    """Open a WebSocket of an application."""
    sends, receive = anyio.create_memory_object_stream[dict[str, Any]](10_000)
    send, receives = anyio.create_memory_object_stream[dict[str, Any]]()
    scope = {
        "type": "websocket", "path": path, "raw_path": path.encode(), "root_path": "",
        "scheme": "ws", "headers": [], "query_string": b"", "subprotocols": ["hubbub.v1"],
    }  # fmt: skip
    async with sends, receive, send, receives, anyio.create_task_group() as tasks:
        await sends.send({"type": "websocket.connect"})
        tasks.start_soon(app, scope, receive.receive, send.send)
        browser = Browser(sends, receives)
        browser.server = tasks.cancel_scope
        accepted = await browser.receive()
        assert (accepted["type"], accepted["subprotocol"]) == ("websocket.accept", "hubbub.v1")
        yield browser
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def an_app(settings: Settings = SETTINGS) -> AsyncIterator[tuple[Any, Gateway]]:
    async with hubbub.open("memory://", settings=settings) as hub:
        gateway = Gateway(hub)
        yield create_app(hub, gateway=gateway), gateway


async def test_a_request_and_its_answer() -> None:
    async with an_app() as (app, _), browsing(app) as browser:
        signed_in = await browser.ask("session.sign_in", nickname="ann")

    assert signed_in["result"]["user"]["nickname"] == "ann"


@pytest.mark.parametrize(("code", "online"), [(1000, 0), (1001, 1), (1006, 1)])
async def test_who_goes_for_good_is_offline_at_once(code: int, online: int) -> None:
    async with an_app(Settings(presence_grace_seconds=1_000.0)) as (app, gateway):
        async with browsing(app) as browser:
            await browser.ask("session.sign_in", nickname="ann")
            await browser.leave(code)
            await anyio.wait_all_tasks_blocked()

        assert len(gateway.hub.presence.online()) == online


async def test_events_come_as_one_array() -> None:
    async with an_app() as (app, _), browsing(app) as browser:
        await browser.ask("session.sign_in", nickname="ann")
        room = (await browser.ask("chat.create_room", name="Room"))["result"]
        await browser.ask("session.follow", stream=room["stream"], after=0)
        events = await browser.message()

    assert [event["params"]["seq"] for event in events] == [1, 2]


async def test_binary_and_oversize_frames_get_errors_and_it_goes_on() -> None:
    async with an_app(Settings(frame_bytes_max=100)) as (app, _), browsing(app) as browser:
        await browser.send(bytes=b"\x00")
        binary = await browser.message()
        await browser.send(text="ü" * 60)
        oversize = await browser.message()
        signed_in = await browser.ask("session.sign_in", nickname="ann")

    assert (binary["error"]["code"], oversize["error"]["code"]) == (-32700, -32600)
    assert "result" in signed_in


async def test_who_does_not_sign_in_is_told_not_to_come_back() -> None:
    async with an_app(Settings(sign_in_seconds_max=0.02)) as (app, _), browsing(app) as browser:
        closed = await browser.receive()

    assert (closed["type"], closed["code"]) == ("websocket.close", 3500)


async def test_one_too_many_is_told_to_come_back() -> None:
    async with (
        an_app(Settings(connections_max=1)) as (app, _),
        browsing(app),
        browsing(app) as browser,
    ):
        closed = await browser.receive()

    assert (closed["type"], closed["code"]) == ("websocket.close", 3001)


async def test_at_the_end_all_are_told_to_come_back() -> None:
    async with an_app() as (app, gateway), browsing(app) as browser:
        await browser.ask("session.sign_in", nickname="ann")
        gateway.close_all(3000, "come back")
        closed = await browser.receive()

    assert (closed["type"], closed["code"]) == ("websocket.close", 3000)


async def test_who_leaves_is_forgotten() -> None:
    async with an_app() as (app, gateway), browsing(app) as browser:
        await browser.ask("session.sign_in", nickname="ann")
        await browser.leave()
        with anyio.fail_after(PATIENCE):
            while gateway.connections:
                await anyio.lowlevel.checkpoint()

    assert gateway.hub.presence.count == 0


async def test_who_does_not_read_is_not_written_to_and_misses_nothing() -> None:
    text = "x" * 3_000
    async with an_app() as (app, gateway), browsing(app) as browser:
        await browser.ask("session.sign_in", nickname="slow")
        async with gateway.hub.session("ann") as ann:
            room = await ann.chat.create_room("Room")
            await browser.ask("chat.join", room_id=room.id)
            await browser.ask("session.follow", stream=room.stream)
            [socket] = gateway.connections.values()
            count = 0
            while not socket.paused:
                last = await ann.chat.send(room.id, text)
                count += 1
            more = [await ann.chat.send(room.id, text) for _ in range(50)]
            seqs: list[int] = []
            while not seqs or seqs[-1] < more[-1].seq:
                seqs += [event["params"]["seq"] for event in await browser.message()]

    assert count * len(text) > OUTBOX_BYTES_MAX // 2
    assert last.seq < more[-1].seq
    assert seqs == list(range(4, more[-1].seq + 1))


async def test_more_requests_than_can_be_unanswered_wait_in_their_order() -> None:
    settings = Settings(requests_in_flight_max=2, message_limit=1_000)
    async with an_app(settings) as (app, _), browsing(app) as browser:
        await browser.ask("session.sign_in", nickname="ann")
        room = (await browser.ask("chat.create_room", name="r"))["result"]["id"]
        for _ in range(50):
            await browser.post("chat.send", room_id=room, text="hi")
        answers = [await browser.message() for _ in range(50)]

    seqs = [answer["result"]["seq"] for answer in answers]
    assert seqs == list(range(seqs[0], seqs[0] + 50))


async def test_it_mounts_into_another_application() -> None:
    async with hubbub.open("memory://") as hub:
        outer = Starlette(routes=[Mount("/live", app=create_app(hub))])
        async with browsing(outer, "/live/ws") as browser:
            signed_in = await browser.ask("session.sign_in", nickname="ann")

    assert "result" in signed_in


VIRTUAL = Settings(clock=VirtualClock())


def test_a_follower_that_stops_reading_is_let_go(backend: Backend) -> None:
    async def stop_reading() -> float:
        async with an_app(VIRTUAL) as (app, gateway), browsing(app) as browser:
            await browser.ask("session.sign_in", nickname="ann")
            room = (await browser.ask("chat.create_room", name="Room"))["result"]
            await browser.ask("session.follow", stream=room["stream"], after=0)
            began = anyio.current_time()
            while gateway.connections:  # noqa: ASYNC110
                await anyio.sleep(0.1)
            assert not gateway.sockets
            return anyio.current_time() - began

    seconds = run_in_virtual_time(stop_reading, backend=backend)

    assert seconds == pytest.approx(SEND_SECONDS_MAX, abs=1.1)


def test_a_follower_that_reads_slowly_stays(backend: Backend) -> None:
    async def read_slowly() -> list[int]:
        async with an_app(VIRTUAL) as (app, _), browsing(app) as browser:
            await browser.ask("session.sign_in", nickname="ann")
            room, seqs = (await browser.ask("chat.create_room", name="Room"))["result"], list[int]()
            await browser.ask("session.follow", stream=room["stream"], after=0)
            while len(seqs) < 5:
                await browser.post("chat.send", room_id=room["id"], text="hi")
                await anyio.sleep(SEND_SECONDS_MAX - 2)
                frame = await browser.message()
                seqs += [one["params"]["seq"] for one in frame if isinstance(frame, list)]
            return seqs

    assert run_in_virtual_time(read_slowly, backend=backend) == [1, 2, 3, 4, 5]


def test_a_server_that_never_gives_up_a_send_keeps_nobody_online(backend: Backend) -> None:
    async def stop_reading() -> list[object]:
        async with an_app(VIRTUAL) as (app, gateway), browsing(shielding(app)) as browser:
            await browser.ask("session.sign_in", nickname="ann")
            room = (await browser.ask("chat.create_room", name="Room"))["result"]
            await browser.ask("session.follow", stream=room["stream"], after=0)
            await anyio.sleep(2 * SEND_SECONDS_MAX)
            left = [*gateway.connections, *gateway.sockets, *gateway.hub.presence.online()]
            # Its task ends when the send ends.
            await browser.receive()
            await anyio.sleep(1)
        return left

    assert run_in_virtual_time(stop_reading, backend=backend) == []


def shielding(app: Any) -> Any:
    """Serve an application so that no send of it is cancelled."""

    async def served(scope: Any, receive: Any, send: Any) -> None:
        async def shielded(message: Any) -> None:
            with anyio.CancelScope(shield=True):
                await send(message)

        await app(scope, receive, shielded)

    return served


async def test_a_server_that_ends_its_tasks_still_asks_the_client_to_reconnect() -> None:
    async with an_app() as (app, gateway), browsing(app) as browser:
        await browser.ask("session.sign_in", nickname="ann")
        browser.server.cancel()
        with anyio.CancelScope(shield=True):
            closed = await browser.receive()

    assert (closed["type"], closed["code"]) == ("websocket.close", 3000)
    assert not gateway.connections


def test_a_client_that_does_not_read_does_not_hold_up_a_server_that_stops(backend: Backend) -> None:
    async def stop() -> float:
        async with an_app(VIRTUAL) as (app, _):
            async with browsing(app) as browser:
                await browser.ask("session.sign_in", nickname="ann")
                began = anyio.current_time()
                browser.server.cancel()
            return anyio.current_time() - began

    assert run_in_virtual_time(stop, backend=backend) == pytest.approx(LAST_SECONDS_MAX)
