"""A client that sends more requests than the server can have unanswered: reading pauses."""

from __future__ import annotations

import anyio
import msgspec
import pytest
from anyio.abc import SocketStream

from hubbub import NoOpponent, Settings
from hubbub.server.websocket.frame_socket import FrameSocket
from tests.server.raw_client import RawClient, connected
from tests.server.running import Running, running
from tests.server.test_bad_clients import masked_text, reset, until

# Requests of one client at a time.
COUNT = 3
SETTINGS = Settings(
    requests_in_flight_max=COUNT, requests_per_second=100_000.0, message_limit=100_000
)


def requests_of(method: str, params: object, numbers: range) -> bytes:
    frames = []
    for number in numbers:
        request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        frames.append(request)
    # A client may send arrays, and single requests.
    return b"".join(
        masked_long(msgspec.json.encode(frames[at : at + 3])) for at in range(0, len(frames), 3)
    )


def masked_long(payload: bytes) -> bytes:
    if len(payload) < 126:
        return masked_text(payload)
    return b"\x81\xfe" + len(payload).to_bytes(2, "big") + bytes(4) + payload


async def test_a_client_s_requests_are_carried_out_in_order_and_without_holes() -> None:
    async with running(settings=SETTINGS) as server, connected(server.address, "ann") as client:
        room = (await client.ask("chat.create_room", name="r"))["result"]["id"]
        params = {"room_id": room, "text": "hi"}
        numbers = range(1_000, 1_900)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.stream.send, requests_of("chat.send", params, numbers))
            answers = [await client.message() for _ in numbers]

    assert all("result" in answer for answer in answers)
    by_number = sorted(answers, key=lambda answer: answer["id"])
    seqs = [answer["result"]["seq"] for answer in by_number]
    assert seqs == list(range(seqs[0], seqs[0] + 900))


async def wait_for_long(server: Running, client: RawClient) -> FrameSocket:
    """Send requests that wait for long, until the server reads no more."""
    params = {"queue": "default", "timeout": 600, "key": "k"}
    await client.stream.send(requests_of("games.find_match", params, range(100, 112)))
    [asking] = server.gateway.connections.values()
    assert isinstance(asking, FrameSocket)
    await until(lambda: asking.connection.full)
    return asking


@pytest.mark.parametrize("times", [1, 5])
async def test_a_client_whose_requests_take_long_is_not_taken_for_dead(times: int) -> None:
    async with running(settings=SETTINGS) as server, connected(server.address, "ann") as client:
        asking = await wait_for_long(server, client)
        for _ in range(times):
            asking.check_alive()

        assert list(server.gateway.connections.values()) == [asking]


@pytest.mark.parametrize("resets", [True, False])
async def test_a_client_that_is_gone_is_noticed_while_the_server_does_not_read(
    *, resets: bool
) -> None:
    async with running(settings=SETTINGS) as server:
        async with connected(server.address, "ann") as client:
            asking = await wait_for_long(server, client)
            if resets:
                assert isinstance(client.stream, SocketStream)
                reset(client.stream)
        with anyio.fail_after(5):
            while server.gateway.connections:
                asking.check_alive()
                await anyio.lowlevel.checkpoint()
        async with server.gateway.hub.session("bob") as bob:
            # Nobody searches any more.
            with pytest.raises(NoOpponent):
                await bob.games.find_match(timeout=0.05)


async def test_what_came_behind_is_read_when_there_is_space() -> None:
    async with running(settings=SETTINGS) as server, connected(server.address, "ann") as client:
        asking = await wait_for_long(server, client)
        # It is behind what the server has read.
        await client.stream.send(requests_of("users.online", {}, range(500, 501)))
        for _ in range(20):
            await anyio.lowlevel.checkpoint()
        assert asking.connection.full
        async with connected(server.address, "bob") as other:
            await other.ask("games.find_match", queue="default", timeout=10)
        online = await client.answer(500)

    assert {user["nickname"] for user in online["result"]} == {"ann", "bob"}
