"""A session over another transport than a socket: the frames stay in memory."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import msgspec
import pytest

import hubbub
from hubbub.client import ConnectionLost, Transport, session_over
from hubbub.errors import Closed, HubbubError, NotAllowed
from hubbub.server import Gateway
from hubbub.server.websocket.connection import Connection
from tests.client.played import Play, PlayedServer
from tests.server.memory_socket import MemorySocket
from tests.server.running import SETTINGS
from tests.session.worlds import SetClock

NO_CLOSE_FRAME = 1006


class MemoryTransport:
    """The client's end of a socket in memory."""

    def __init__(self, gateway: Gateway) -> None:
        self.socket = MemorySocket()
        self.connection = Connection(gateway, self.socket)
        self._received = 0

    async def send(self, frame: bytes) -> None:
        await anyio.lowlevel.checkpoint()
        if self.socket.closed is not None:
            raise ConnectionLost(*self.socket.closed)
        self.connection.receive(frame)

    async def receive(self) -> str:
        while self._received == len(self.socket.messages):
            if self.socket.closed is not None:
                raise ConnectionLost(*self.socket.closed)
            await self.socket.news.wait()
        self._received += 1
        return msgspec.json.encode(self.socket.messages[self._received - 1]).decode()

    def cut(self) -> None:
        self.socket.close(NO_CLOSE_FRAME, "cut")


class Network:
    """Dials a gateway in memory."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self.dialled = list[MemoryTransport]()

    @asynccontextmanager
    async def dial(self) -> AsyncIterator[Transport]:
        await anyio.lowlevel.checkpoint()
        transport = MemoryTransport(self._gateway)
        self.dialled.append(transport)
        try:
            yield transport
        finally:
            transport.connection.release()


@asynccontextmanager
async def network() -> AsyncIterator[Network]:
    async with hubbub.open("memory://", settings=SETTINGS) as hub:
        yield Network(Gateway(hub))


async def test_a_session_runs_over_another_transport() -> None:
    async with network() as net, session_over(net.dial, nickname="Ann") as ann:
        room = await ann.chat.create_room("Room")
        async with ann.follow(f"room/{room.id}") as events:
            await ann.chat.send(room.id, "hello")
            with anyio.fail_after(5):
                event = await anext(events)

        assert ann.user.nickname == "Ann"
        assert event.type == "message"


async def test_it_dials_again_when_the_connection_is_lost() -> None:
    async with network() as net, session_over(net.dial, random=random.Random(7)) as ann:
        room = await ann.chat.create_room("Room")
        net.dialled[-1].cut()
        with anyio.fail_after(5):
            message = await ann.chat.send(room.id, "hello")

        assert await ann.chat.history(room.id) == [message]
        assert len(net.dialled) == 2


async def test_a_token_of_an_earlier_session_signs_in() -> None:
    async with network() as net:
        async with session_over(net.dial, nickname="Ann") as ann:
            user, token = ann.user.id, ann.token
        async with session_over(net.dial, token=token) as again:
            assert again.user.id == user


async def test_a_wrong_token_is_a_plain_error() -> None:
    async with network() as net:
        with pytest.raises(NotAllowed):
            async with session_over(net.dial, token="wrong"):
                pytest.fail("it is not a token")


def test_the_name_of_the_server_is_in_the_messages(play: Play) -> None:
    async def story() -> None:
        server = PlayedServer()
        server.down = True
        with pytest.raises(Closed, match=r"^The lighthouse cannot be reached: nobody there"):
            async with session_over(server.dial, where="The lighthouse"):
                pytest.fail("there is no server")

    play(story)


def test_the_same_seed_makes_the_same_keys_and_the_same_pauses(play: Play) -> None:
    runs = list[tuple[list[str], list[float]]]()

    async def story() -> None:
        for seed in (7, 7, 8):
            runs.append(await keys_and_pauses(seed))

    play(story)

    assert runs[0] == runs[1]
    assert runs[0][0] != runs[2][0]
    assert runs[0][1] != runs[2][1]


async def keys_and_pauses(seed: int) -> tuple[list[str], list[float]]:
    """Send two messages and lose some connections; return what was drawn from the seed."""
    server = PlayedServer()
    start = anyio.current_time()
    chance = random.Random(seed)
    session = session_over(server.dial, random=chance, clock=SetClock())
    async with session as ann, anyio.create_task_group() as tasks:
        for text in ("one", "two"):
            tasks.start_soon(send, ann, text)
        asked = [*await server.until_asked(2)]
        for number in range(2, 5):
            server.cut()
            await server.until_signed_in(number)
        tasks.cancel_scope.cancel()
    pauses = [round(time - start, 9) for time in server.dialled]
    return sorted(request["params"]["key"] for request in asked), pauses


async def send(session: hubbub.Session, text: str) -> None:
    with pytest.raises(HubbubError):
        await session.chat.send("r", text)
