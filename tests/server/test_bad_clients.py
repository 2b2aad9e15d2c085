"""A bad client ends at most its own WebSocket, and costs a bounded amount."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream

from hubbub import Settings
from hubbub.server.gateway import Gateway
from hubbub.server.websocket import frame_socket
from hubbub.server.websocket.frame_socket import TURN_BYTES_MAX, WRITE_BYTES_MAX
from hubbub.server.websocket.request_tasks import RUNNING_MAX
from hubbub.server.websocket.unsent import Unsent
from tests.server.memory_socket import clients
from tests.server.raw_client import RawClient, connected, masked, websocket_key
from tests.server.running import Running, running

HANDSHAKE = (
    "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Key: {websocket_key()}\r\nSec-WebSocket-Version: 13\r\n\r\n"
).encode()
CLOSE = masked(0x88, b"\x03\xe8")
SIGN_IN = b'{"jsonrpc":"2.0","id":1,"method":"session.sign_in","params":{}}'


@asynccontextmanager
async def tcp(server: Running) -> AsyncIterator[SocketStream]:
    """Connect, and say nothing."""
    port = int(server.address.rpartition(":")[2])
    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        yield stream


def masked_text(payload: bytes) -> bytes:
    """Make a client's text frame, with a mask that changes nothing."""
    return masked(0x81, payload)


def reset(stream: SocketStream) -> None:
    """Let closing the connection reset it."""
    raw = stream.extra(SocketAttribute.raw_socket)  # noqa: S610  # no database here
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def read_to_the_end(stream: SocketStream) -> bytes:
    """Read what comes until the server ends its side."""
    data = b""
    with anyio.fail_after(5):
        try:
            while True:
                data += await stream.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            return data


async def all_gone(gateway: Gateway, but: int = 0) -> None:
    """Wait until only so many connections are left."""
    await until(lambda: len(gateway.connections) <= but)


async def until(true: Callable[[], object]) -> None:
    """Wait for something that no event tells."""
    with anyio.fail_after(5):
        while not true():
            await anyio.lowlevel.checkpoint()


@pytest.mark.parametrize(
    ("behind", "code"),
    [
        (CLOSE, 1000),
        (masked(0xC1, b"a"), 1002),
        (b"\x81\x02{}", 1002),
        (masked(0x81, b"\xff"), 1007),
    ],
    ids=["a close", "reserved bits", "no mask", "no UTF-8"],
)
async def test_an_end_in_the_segment_of_the_handshake_ends_one_connection(
    behind: bytes, code: int
) -> None:
    async with running() as server, connected(server.address, "ann") as ann:
        async with tcp(server) as stream:
            await stream.send(HANDSHAKE + behind)
            answer = await read_to_the_end(stream)

        assert struct.pack("!H", code) in answer.partition(b"\r\n\r\n")[2][:4]
        assert "result" in await ann.ask("users.online")


async def test_a_request_in_the_segment_of_the_handshake_is_answered() -> None:
    async with running() as server, tcp(server) as stream:
        await stream.send(HANDSHAKE + masked(0x81, SIGN_IN))
        answer = b""
        with anyio.fail_after(5):
            while b"journal_id" not in answer:
                answer += await stream.receive()

    assert b'"result"' in answer


@pytest.mark.parametrize("sent", [HANDSHAKE, HANDSHAKE + masked(0x81, SIGN_IN)])
async def test_a_reset_behind_the_handshake_ends_one_connection(
    sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with running() as server, connected(server.address, "ann") as ann:
        for _ in range(50):
            async with tcp(server) as stream:
                await stream.send(sent)
                reset(stream)

        assert "result" in await ann.ask("users.online")
        await all_gone(server.gateway, but=1)
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]


@pytest.mark.parametrize("first", [CLOSE, masked(0xC1, b"a")], ids=["a close", "a fault"])
async def test_what_comes_behind_the_end_is_not_carried_out(first: bytes) -> None:
    request = {"jsonrpc": "2.0", "id": 1, "method": "chat.create_room", "params": {"name": "late"}}
    async with running() as server, connected(server.address, "ann") as ann:
        async with connected(server.address, "bob") as bob:
            await bob.stream.send(first + masked(0x81, json.dumps(request).encode()))
            await all_gone(server.gateway, but=1)

        assert (await ann.ask("chat.rooms"))["result"] == []


async def test_the_close_code_arrives_while_the_client_goes_on_sending() -> None:
    async with running() as server:
        for _ in range(10):
            async with connected(server.address, "ann") as client:
                client.protocol.send_text(b"x" * 30_000)
                [large] = client.protocol.data_to_send()
                await client.stream.send(masked(0xC1, b"a") + large * 20)

                assert await client.close_code() == 1002


async def test_a_client_that_does_not_end_its_side_is_let_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("asyncio_socket", "tcp_socket"):
        monkeypatch.setattr(f"hubbub.server.websocket.{name}.CLOSE_SECONDS_MAX", 0.05)
    async with running() as server, tcp(server) as stream:
        await stream.send(HANDSHAKE + masked(0xC1, b"a"))
        with anyio.fail_after(5):
            while True:
                try:
                    await stream.send(b"x" * 1_000)
                    await anyio.sleep(0.01)
                except anyio.BrokenResourceError:
                    break

        assert server.gateway.places.count == 0


async def unread(server: Running, text: str = "x" * 3_000) -> tuple[RawClient, str]:
    """Sign in, with a room of 100 messages of some length; return who asks, and the room."""
    ann = await anyio.connect_tcp("127.0.0.1", int(server.address.rpartition(":")[2]))
    client = RawClient(ann, server.address)
    await client.shake_hands()
    await client.sign_in()
    room = (await client.ask("chat.create_room", name="r"))["result"]
    for _ in range(100):
        await client.ask("chat.send", room_id=room["id"], text=text)
    return client, room["id"]


async def test_answers_wait_for_a_client_that_does_not_read_and_none_is_lost() -> None:
    count = 60
    async with running() as server:
        client, room = await unread(server)
        async with client.stream:
            numbers = [await client.post("chat.history", room_id=room) for _ in range(count)]
            [asking] = server.gateway.connections.values()
            await until(lambda: asking.paused)
            assert isinstance(asking, frame_socket.FrameSocket)
            held = asking.unsent
            answers = [await client.message() for _ in numbers]

    page = len(json.dumps(answers[0]))
    assert held < WRITE_BYTES_MAX + (RUNNING_MAX + 1) * page < count * page
    assert {answer["id"] for answer in answers} == {*numbers}
    assert all(len(answer["result"]) == 50 for answer in answers)


async def test_pings_of_a_client_that_does_not_read_the_pongs_pile_up_nowhere() -> None:
    pings = masked(0x89, b"x" * 125) * 1_000
    async with running() as server, connected(server.address, "ann") as client:
        with anyio.move_on_after(1):
            for _ in range(200):
                await client.stream.send(pings)
        [asking] = server.gateway.connections.values()
        assert isinstance(asking, frame_socket.FrameSocket)

        # What one read of the event loop brings is answered still.
        assert asking.unsent < WRITE_BYTES_MAX + 300 * 1024


async def test_a_client_that_pings_too_often_is_disconnected() -> None:
    settings = Settings(requests_per_second=10.0)
    async with running(settings=settings) as server, connected(server.address, "ann") as client:
        await client.stream.send(masked(0x89, b"") * 100)

        assert await client.close_code() == 1008


async def test_a_flood_of_one_client_is_carried_out_in_turns_and_in_order() -> None:
    requests = b"".join(
        masked_text(b'{"jsonrpc":"2.0","id":%d,"method":"x.y"}' % number) for number in range(900)
    )
    assert len(requests) > 3 * TURN_BYTES_MAX
    async with running() as server, connected(server.address, "ann") as client:
        await client.stream.send(requests)
        numbers = [(await client.message())["id"] for _ in range(900)]

    assert numbers == list(range(900))


async def test_a_flood_of_one_client_does_not_delay_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    flood = masked_text(b'{"jsonrpc":"2.0","id":1,"method":"x.y"}') * 10_000
    whole, turns = frame_socket.FrameSocket.feed, list[tuple[frame_socket.FrameSocket, int]]()

    def feed(self: frame_socket.FrameSocket, data: bytes) -> None:
        turns.append((self, len(data)))
        whole(self, data)

    async with (
        running() as server,
        connected(server.address, "ann") as ann,
        connected(server.address, "bob") as bob,
        anyio.create_task_group() as tasks,
    ):
        monkeypatch.setattr(frame_socket.FrameSocket, "feed", feed)
        tasks.start_soon(ann.stream.send, flood)
        await until(lambda: turns)
        for _ in range(3):
            assert "result" in await bob.ask("users.online")
        served = len(turns)
        for _ in range(10_000):
            await ann.message()

    assert max(size for _, size in turns) <= TURN_BYTES_MAX
    assert sum(size for _, size in turns[served:]) > len(flood) // 2


async def test_what_waits_for_its_turn_outlives_the_time_to_sign_in() -> None:
    settings = Settings(sign_in_seconds_max=0.3, requests_per_second=100_000.0)
    requests = masked_text(b'{"jsonrpc":"2.0","id":1,"method":"x.y"}') * 900
    async with running(settings=settings) as server, connected(server.address, "ann") as client:
        with anyio.move_on_after(0.6):
            while True:
                await client.stream.send(requests)
                for _ in range(900):
                    assert (await client.message())["error"]["code"] == -32601

        assert "result" in await client.answer(await client.post("users.online"))


async def test_behind_a_proxy_an_address_has_so_many_sockets() -> None:
    settings = Settings(connections_per_address_max=1)
    address = "203.0.113.7"
    async with (
        running(settings=settings) as server,
        connected(server.address, "ann", forwarded_for=address),
        connected(server.address, forwarded_for=address) as second,
        connected(server.address, "cid", forwarded_for="203.0.113.8"),
    ):
        assert await second.close_code() == 3001


async def test_of_clients_that_do_not_read_those_with_the_most_are_let_go() -> None:
    async with running() as server:
        client, room = await unread(server)
        server.gateway.unsent = Unsent(bytes_max=WRITE_BYTES_MAX + 1)
        async with client.stream:
            with contextlib.suppress(anyio.BrokenResourceError):
                for _ in range(60):
                    await client.post("chat.history", room_id=room)
            await all_gone(server.gateway)

        assert server.gateway.unsent.total == 0


async def test_a_client_that_takes_nothing_is_let_go_and_a_slow_one_is_not() -> None:
    async with running() as server:
        client, room = await unread(server)
        async with client.stream:
            for _ in range(60):
                await client.post("chat.history", room_id=room)
            [asking] = server.gateway.connections.values()
            await until(lambda: asking.paused)
            asking.check_alive()
            for _ in range(20):
                await client.message()
            asking.check_alive()
            slow = list(server.gateway.connections.values())
            asking.check_alive()
            await all_gone(server.gateway)

    assert slow == [asking]


async def test_a_user_has_so_many_connections_and_no_more() -> None:
    settings = Settings(connections_per_user_max=2)
    async with running(settings=settings) as server, connected(server.address) as first:
        token = (await first.sign_in())["token"]
        async with connected(server.address) as second, connected(server.address) as third:
            taken = await second.ask("session.sign_in", token=token)
            refused = await third.ask("session.sign_in", token=token)
            closed = await third.close_code()
        await all_gone(server.gateway, but=1)
        async with connected(server.address) as fourth:
            again = await fourth.ask("session.sign_in", token=token)

    assert "result" in taken
    assert refused["error"]["data"]["code"] == "overloaded"
    assert closed == 3001
    assert "result" in again


async def test_the_arguments_of_requests_in_flight_are_bounded_in_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("hubbub.server.websocket.in_flight.IN_FLIGHT_BYTES_MAX", 5_000)
    async with clients("ann") as (_, [ann]):
        numbers = [ann.post("users.get", user_id="x" * 1_000) for _ in range(4)]
        space = not ann.connection.full
        numbers += [ann.post("users.get", user_id="x" * 1_000) for _ in range(6)]
        full = ann.connection.full
        answers = [await ann.answer(number) for number in numbers]
        later = await ann.ask("users.online")

    assert (space, full) == (True, True)
    codes = [answer["error"]["data"]["code"] for answer in answers]
    assert codes == ["not_found"] * 10
    assert "result" in later
