"""Pools of HTTP connections over a simulated network: each place becomes free again."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import anyio
import httpcore
import httpcore2
from anyio.abc import ByteStream

from hubbub.testing.simulation import Network, cancel_everywhere, current_random

from .case import Case

__all__ = ["CASES"]

REQUEST_SECONDS_MAX = 60


class OnNetwork:
    """The network of a pool of ``httpcore``, over a simulated one."""

    def __init__(self, library: Any, network: Network) -> None:
        self._library = library
        self._network = network

    async def connect_tcp(self, host: str, port: int, **_: object) -> Any:
        """Connect, or raise the library's error."""
        try:
            return Stream(self._library, await self._network.connect("client", host, port))
        except OSError as error:
            raise self._library.ConnectError from error

    async def sleep(self, seconds: float) -> None:
        """Wait before another attempt."""
        await anyio.sleep(seconds)


class Stream:
    """One connection."""

    def __init__(self, library: Any, stream: ByteStream) -> None:
        self._library = library
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        """Read what there is."""
        try:
            return await self._stream.receive(max_bytes)
        except anyio.EndOfStream:
            return b""
        except (anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            raise self._library.ReadError from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Write it all."""
        try:
            if buffer:
                await self._stream.send(buffer)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            raise self._library.WriteError from error

    async def aclose(self) -> None:
        """Close the connection."""
        await self._stream.aclose()

    def get_extra_info(self, info: str) -> Any:
        """Say that the server has closed nothing."""
        return False if info == "is_readable" else None


async def serve(stream: ByteStream) -> None:
    """Answer each request in two parts."""
    received = b""
    async with stream:
        try:
            while True:
                while b"\r\n\r\n" not in received:
                    received += await stream.receive()
                _, received = received.split(b"\r\n\r\n", 1)
                await stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")
                await anyio.sleep(0.01)
                await stream.send(b"llo")
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            return


class Client:
    """A pool with a server to ask."""

    def __init__(self, library: Any, network: Network, connections: int) -> None:
        backend: Any = OnNetwork(library, network)
        self.pool = library.AsyncConnectionPool(
            max_connections=connections, network_backend=backend
        )

    async def get(self) -> None:
        """Ask, and wait a minute at most for a place."""
        timeout = {"timeout": {"pool": REQUEST_SECONDS_MAX}}
        response = await self.pool.request("GET", "http://server/", extensions=timeout)
        assert response.content == b"hello"


async def cancelled_anywhere(library: ModuleType) -> None:
    """Cancel a request at each place, and then ask again: the pool has one place."""
    network = Network(current_random())
    client = Client(library, network, 1)

    async def check(_: bool) -> None:
        await client.get()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(network.listen("server", 80).serve, serve)
        async with client.pool:
            await cancel_everywhere(client.get, check=check)
        tasks.cancel_scope.cancel()


async def cuts_and_cancellations(library: ModuleType) -> None:
    """Let six clients share two places, give up, and lose connections."""
    network, random = Network(current_random()), current_random()
    client = Client(library, network, 2)
    lost: Any = library

    async def use() -> None:
        with anyio.move_on_after(random.random() * 0.3):
            try:
                await client.get()
            except (lost.NetworkError, lost.RemoteProtocolError):
                return

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(network.listen("server", 80).serve, serve)
        async with client.pool:
            async with anyio.create_task_group() as users:
                for _ in range(6):
                    users.start_soon(use)
                await anyio.sleep(random.random() * 0.2)
                network.cut("client", "server")
            await use_again(client, lost)
        tasks.cancel_scope.cancel()


async def use_again(client: Client, lost: Any) -> None:
    """Ask until a connection that was cut is noticed, which may take one request for each."""
    for _ in range(3):
        try:
            await client.get()
            return
        except (lost.NetworkError, lost.RemoteProtocolError):
            continue
    raise AssertionError(f"no request succeeds any more: {client.pool}")


async def httpcore_cancelled() -> None:
    await cancelled_anywhere(httpcore)


async def httpcore_cut() -> None:
    await cuts_and_cancellations(httpcore)


async def httpcore2_cancelled() -> None:
    await cancelled_anywhere(httpcore2)


async def httpcore2_cut() -> None:
    await cuts_and_cancellations(httpcore2)


PLACE = "a place is free again after a cancellation anywhere"
CUT = "the pool survives cancellations and lost connections"
CASES = [
    Case("httpcore", PLACE, httpcore_cancelled, seeds=20),
    Case("httpcore", CUT, httpcore_cut),
    Case("httpcore2", PLACE, httpcore2_cancelled, seeds=20),
    Case("httpcore2", CUT, httpcore2_cut),
]
