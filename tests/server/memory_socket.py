"""A socket that keeps what it is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio
import msgspec

import hubbub
from hubbub.journal.live.topic import Encoder
from hubbub.server import Gateway
from hubbub.server.websocket.connection import Connection
from hubbub.session import LocalSession
from hubbub.wire.messages import events_frame
from tests.server.running import SETTINGS

__all__ = ["Client", "MemorySocket", "clients", "session_of"]

PATIENCE = 5.0


class MemorySocket:
    """Carries frames to a list; it may be paused, and remembers how it was closed."""

    def __init__(self) -> None:
        self.address = "memory"
        self.paused = False
        self.messages: list[Any] = []
        self.closed: tuple[int, str] | None = None
        self.news = anyio.Event()

    @property
    def encoder(self) -> Encoder:
        """Make what send_batch takes."""
        return events_frame

    def send(self, payload: bytes) -> None:
        """Keep one frame."""
        message = msgspec.json.decode(payload)
        self.messages += message if isinstance(message, list) else [message]
        self.news.set()
        self.news = anyio.Event()

    def flush(self) -> None:
        """Nothing gathers here."""

    def send_batch(self, batch: bytes) -> None:
        """Keep one batch, which must not come during a pause."""
        assert not self.paused
        self.send(batch)

    def close(self, code: int, reason: str) -> None:
        """Remember how it was closed."""
        self.closed = (code, reason)
        self.news.set()
        self.news = anyio.Event()

    def read_on(self) -> None:
        """Memory is read always."""

    def signed_in(self) -> None:
        pass

    def check_alive(self) -> None:
        """Memory is always alive."""


class Client:
    """The actions of a client, by hand."""

    def __init__(self, gateway: Gateway) -> None:
        self.socket = MemorySocket()
        self.connection = Connection(gateway, self.socket)
        self._last_id = 0

    def post(self, method: str, **params: Any) -> int:
        """Send a request."""
        self._last_id += 1
        request = {"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params}
        self.connection.receive(msgspec.json.encode(request))
        return self._last_id

    async def answer(self, number: int) -> Any:
        """Wait for the answer to a request."""
        return await self.until(lambda message: message.get("id") == number)

    async def ask(self, method: str, **params: Any) -> Any:
        """Send a request and wait for its answer."""
        return await self.answer(self.post(method, **params))

    async def until(self, wanted: Any) -> Any:
        """Wait for a message."""
        with anyio.fail_after(PATIENCE):
            while True:
                for message in self.socket.messages:
                    if wanted(message):
                        return message
                await self.socket.news.wait()

    def seqs(self) -> list[int]:
        """Return the seqs of the events that came."""
        events = [m for m in self.socket.messages if m.get("method") == "event"]
        return [event["params"]["seq"] for event in events]


@asynccontextmanager
async def clients(
    *nicknames: str,
    settings: hubbub.Settings = SETTINGS,
    games: Mapping[str, hubbub.Game] | None = None,
) -> AsyncIterator[tuple[Gateway, list[Client]]]:
    """Open a hub in memory, with clients who are signed in."""
    async with hubbub.open("memory://", settings=settings, games=games) as hub:
        gateway = Gateway(hub)
        everybody = [Client(gateway) for _ in nicknames]
        for client, nickname in zip(everybody, nicknames, strict=True):
            await client.ask("session.sign_in", nickname=nickname)
        yield gateway, everybody


async def session_of(gateway: Gateway, token: str) -> LocalSession:
    """Make the session of one HTTP request with a token."""
    return await gateway.sign_ins.session(await gateway.sign_ins.identify_token(token, ""), "")
