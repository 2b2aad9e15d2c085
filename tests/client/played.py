"""A fake server: it records the client's messages, and the test chooses its responses."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal

import anyio
import msgspec
from anyio.abc import TaskGroup

from hubbub.client.connection import AskToken, ReconnectingConnection
from hubbub.errors import HubbubError
from hubbub.wake_up import WakeUp
from hubbub.wire.connection_lost import ConnectionLost
from hubbub.wire.messages import error_object

__all__ = [
    "Backend",
    "Longest",
    "Play",
    "PlayedServer",
    "PlayedSocket",
    "call",
    "calling",
    "kept_up",
]

Backend = Literal["asyncio", "trio"]
# Runs a story in virtual time.
Play = Callable[[Callable[[], Awaitable[None]]], None]

SIGN_IN = "session.sign_in"


class Longest(random.Random):
    """Chance that is never kind: the wait is always the longest."""

    def uniform(self, a: float, b: float) -> float:
        return b


class PlayedSocket:
    """The client's end of one connection."""

    def __init__(self, server: PlayedServer) -> None:
        self.lost: ConnectionLost | None = None
        self._server = server
        self._frames: list[str] = []
        self._wake_up = WakeUp()

    async def send(self, frame: bytes) -> None:
        await anyio.lowlevel.checkpoint()
        if self.lost is not None:
            raise self.lost
        self._server.take(self, msgspec.json.decode(frame))

    async def receive(self) -> str:
        while not self._frames:
            if self.lost is not None:
                raise self.lost
            await self._wake_up.wait()
        return self._frames.pop(0)

    def put(self, message: object) -> None:
        """Let the client receive something."""
        self._frames.append(msgspec.json.encode(message).decode())
        self._wake_up.set()

    def close(self, code: int, reason: str = "played") -> None:
        """Close the connection from the server's side."""
        self.lost = ConnectionLost(code, reason)
        self._wake_up.set()


class PlayedServer:
    """Answers sign-ins; everything else waits in ``asked`` to be answered by the test."""

    def __init__(self) -> None:
        self.dialled: list[float] = []
        self.signed_in: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.sockets: list[PlayedSocket] = []
        self.down = False
        self.silent = False
        self.journal_id = "j"
        self.refusal: HubbubError | None = None
        self._wake_up = WakeUp()

    @asynccontextmanager
    async def dial(self) -> AsyncIterator[PlayedSocket]:
        """Open a connection."""
        self.dialled.append(anyio.current_time())
        await anyio.lowlevel.checkpoint()
        if self.down:
            raise ConnectionLost(1006, "nobody there")
        self.sockets.append(PlayedSocket(self))
        yield self.sockets[-1]

    def take(self, socket: PlayedSocket, message: dict[str, Any]) -> None:
        """Take in what a client has sent."""
        if message["method"] != SIGN_IN:
            self.asked.append(message)
        elif not self.silent:
            self.signed_in.append(message["params"])
            if self.refusal is None:
                token = f"token {len(self.signed_in)}"
                self.answer(
                    message["id"], {"user": {}, "token": token, "journal_id": self.journal_id}
                )
            else:
                self.refuse(message["id"], self.refusal)
        self._wake_up.set()

    async def until_asked(self, count: int) -> list[dict[str, Any]]:
        """Wait for a number of requests, and return them."""
        while len(self.asked) < count:
            await self._wake_up.wait()
        return self.asked

    async def until_signed_in(self, count: int) -> None:
        """Wait until there were so many sign-ins."""
        while len(self.signed_in) < count:
            await self._wake_up.wait()

    def answer(self, number: int, result: object = None) -> None:
        """Answer a request on the newest connection."""
        self.sockets[-1].put({"jsonrpc": "2.0", "id": number, "result": result})

    def refuse(self, number: int, error: HubbubError) -> None:
        """Refuse a request on the newest connection."""
        self.sockets[-1].put({"jsonrpc": "2.0", "id": number, "error": error_object(error)})

    def cut(self, code: int = 1006) -> None:
        """Close the newest connection."""
        self.sockets[-1].close(code)

    def connection(self, ask_token: AskToken | None = None) -> ReconnectingConnection:
        """Make a client's connection to this server."""
        return ReconnectingConnection(
            "http://played", self.dial, {"nickname": "ann"}, Longest(), ask_token
        )


@asynccontextmanager
async def kept_up(connection: ReconnectingConnection) -> AsyncIterator[ReconnectingConnection]:
    """Keep a connection open while the body runs."""
    async with anyio.create_task_group() as tasks:
        await tasks.start(connection.run)
        yield connection
        connection.end()
        tasks.cancel_scope.cancel()


async def call(connection: ReconnectingConnection, found: list[Any], params: object = None) -> None:
    """Make a request; note its answer or its error."""
    try:
        found.append(msgspec.json.decode(await connection.call("m", params)))
    except HubbubError as error:
        found.append(error)


async def calling(
    tasks: TaskGroup, connection: ReconnectingConnection, server: PlayedServer
) -> list[Any]:
    """Begin a request, and wait until it has reached the server."""
    found: list[Any] = []
    count = len(server.asked)
    tasks.start_soon(call, connection, found)
    await server.until_asked(count + 1)
    return found
