"""A client and a server, both real, and a network between them that loses connections."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

import anyio
import msgspec

import hubbub
from hubbub.chat.messages.message import Message
from hubbub.journal.event import Event, Streams
from hubbub.journal.live.topic import Encoder
from hubbub.server import Gateway
from hubbub.server.websocket.connection import Connection
from hubbub.wake_up import WakeUp
from hubbub.wire.connection_lost import ConnectionLost
from hubbub.wire.follower import RemoteFollower
from hubbub.wire.messages import events_frame
from hubbub.wire.resumption import Resumption
from tests.features import STREAMS

__all__ = ["Client", "Network", "served"]

SETTINGS = hubbub.Settings(message_limit=100_000, requests_per_second=100_000.0)
PATIENCE = 10.0

decode = Streams(STREAMS).decode


class MemorySocket:
    """The server's end of one connection: what it sends waits here."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self.address = "memory"
        self.paused = False
        self.frames: deque[bytes] = deque()
        self.closed: int | None = None
        self._wake = wake

    @property
    def encoder(self) -> Encoder:
        return events_frame

    def send(self, payload: bytes) -> None:
        self.frames.append(payload)
        self._wake()

    def flush(self) -> None:
        """Nothing gathers here."""

    def send_batch(self, batch: bytes) -> None:
        self.send(batch)

    def close(self, code: int, reason: str) -> None:
        self.closed = code
        self._wake()

    def read_on(self) -> None:
        """Everything is read here."""

    def signed_in(self) -> None:
        pass

    def check_alive(self) -> None:
        """Nothing is dead here."""


class Network:
    """
    Carries frames between a client and a gateway, until one of them is lost.

    Args:
        faults: how many frames pass before each loss; afterwards all pass.
    """

    def __init__(
        self, gateway: Gateway, resume: Resumption, token: str, faults: Iterable[int]
    ) -> None:
        self.connections = 0
        self._gateway = gateway
        self._resume = resume
        self._token = token
        self._faults = deque(faults)
        self._wake_up = WakeUp()
        self._socket: MemorySocket | None = None
        self._connection: Connection | None = None

    async def until(self, done: Callable[[], bool]) -> None:
        """Carry frames to and fro until something is so."""
        with anyio.fail_after(PATIENCE):
            while not done():
                if not self.step():
                    await self._wake_up.wait()
                await anyio.lowlevel.checkpoint()

    def step(self) -> bool:
        """Carry what there is; return whether there was anything."""
        try:
            return self._carry()
        except ConnectionLost:
            self.cut()
            return True

    def cut(self) -> None:
        """Lose the connection, with all that is under way."""
        if self._connection is not None:
            self._connection.release()
            self._connection = self._socket = None
            self._resume.disconnected()

    def wake(self) -> None:
        """There is something to carry."""
        self._wake_up.set()

    def _carry(self) -> bool:
        if self._socket is None or self._connection is None:
            self._socket = MemorySocket(self.wake)
            self._connection = Connection(self._gateway, self._socket)
            self._resume.connected({"token": self._token})
            self.connections += 1
        frames = self._resume.outgoing()
        for frame in frames:
            self._pass_or_lose()
            self._connection.receive(frame)
        arrived = bool(frames or self._socket.frames)
        while self._socket.frames:
            self._pass_or_lose()
            self._resume.receive(self._socket.frames.popleft())
        return arrived

    def _pass_or_lose(self) -> None:
        if not self._faults:
            return
        self._faults[0] -= 1
        if self._faults[0] < 0:
            self._faults.popleft()
            raise ConnectionLost(1006, "the network lost a frame")


class Client:
    """A client's memory, its network, and what it was answered."""

    def __init__(self, gateway: Gateway, user: str, faults: Iterable[int] = ()) -> None:
        self.resume = Resumption(self._wake)
        self.network = Network(gateway, self.resume, gateway.tokens.sign(user), faults)
        self.answers: dict[str, list[str]] = {}
        self.numbers: dict[str, int] = {}

    def _wake(self) -> None:
        self.network.wake()

    def send(self, room: hubbub.Room, text: str) -> None:
        """Say something, under a key."""
        params = {"room_id": room.id, "text": text, "key": f"key of {text}"}
        answers = self.answers[text] = []

        def done(result: msgspec.Raw, error: hubbub.HubbubError | None) -> None:
            said = None if error else msgspec.json.decode(result, type=Message)
            answers.append(repr(error) if said is None else said.text)

        self.numbers[text] = self.resume.ask("chat.send", params, done)

    def forget(self, text: str) -> None:
        """Wait for the answer no longer."""
        self.resume.forget(self.numbers[text])
        del self.answers[text]

    async def answered(self) -> None:
        """Wait until every command has its answer."""
        await self.network.until(lambda: all(self.answers.values()))

    def follow(self, stream: str, after: int | None) -> RemoteFollower:
        """Follow a stream."""
        return self.resume.follow(stream, after, self.network.wake)

    async def joined(self, stream: str, after: int | None) -> RemoteFollower:
        """Follow a stream, and wait until the server accepts the follower."""
        follower = self.follow(stream, after)
        await self.network.until(lambda: follower.joined or follower.error is not None)
        return follower

    async def seen(self, follower: RemoteFollower, head: int) -> list[Event]:
        """Take everything up to a seq."""
        events: list[Event] = []

        def taken() -> bool:
            events.extend(take_all(follower))
            return follower.last == head and not follower.behind

        await self.network.until(taken)
        return [*events, *take_all(follower)]


def take_all(follower: RemoteFollower) -> list[Event]:
    """Take what is there."""
    events = []
    while (body := follower.take()) is not None:
        events.append(decode(body))
    return events


@asynccontextmanager
async def served() -> AsyncIterator[tuple[Gateway, hubbub.Session, hubbub.Room]]:
    """Open a hub with ann and bob in a room, and let bob act in the process."""
    async with hubbub.open("memory://", settings=SETTINGS) as hub, hub.session("bob") as bob:
        room = await bob.chat.create_room("r")
        async with hub.session("ann") as ann:
            await ann.chat.join(room.id)
        yield Gateway(hub), bob, room
