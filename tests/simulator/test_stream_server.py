"""The simulated server: our own HTTP and WebSockets, byte for byte."""

from __future__ import annotations

from random import Random

import anyio

from hubbub.server.http import limits
from hubbub.simulator.dialing import PORT, SERVER
from hubbub.testing.simulation import Network, simulate
from hubbub.testing.simulation.stream import NetworkStream
from tests.event_loop import Backend
from tests.simulator.worlds import CLIENT, served


async def everything(stream: NetworkStream) -> bytes:
    data = b""
    try:
        while True:
            data += await stream.receive()
    except anyio.EndOfStream:
        return data


def test_a_request_in_pieces_is_answered(backend: Backend) -> None:
    async def ask() -> bytes:
        network = Network(Random(1), split=1.0)
        async with served(network):
            stream = await network.connect(CLIENT, SERVER, PORT)
            for byte in b"GET /health HTTP/1.1\r\nHost: 10.1.0.1\r\nConnection: close\r\n\r\n":
                await stream.send(bytes([byte]))
            return await everything(stream)

    answer = simulate(ask, backend=backend, seed=1)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_client_that_says_nothing_is_let_go(backend: Backend) -> None:
    async def wait() -> float:
        network = Network(Random(1))
        async with served(network):
            stream = await network.connect(CLIENT, SERVER, PORT)
            assert await everything(stream) == b""
            return anyio.current_time()

    assert abs(simulate(wait, backend=backend, seed=1) - limits.HEAD_SECONDS_MAX) < 1


def test_rubbish_is_refused_and_others_are_served(backend: Backend) -> None:
    async def both() -> tuple[bytes, bytes]:
        network = Network(Random(1))
        async with served(network):
            bad = await network.connect(CLIENT, SERVER, PORT)
            good = await network.connect(CLIENT, SERVER, PORT)
            await bad.send(b"\x00\x01 rubbish\r\n\r\n")
            await good.send(b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            return await everything(bad), await everything(good)

    refused, answered = simulate(both, backend=backend, seed=1)
    assert refused.startswith(b"HTTP/1.1 400 ")
    assert answered.startswith(b"HTTP/1.1 200 ")


def test_a_reset_in_the_middle_of_a_request_ends_only_that_connection(backend: Backend) -> None:
    async def reset() -> bytes:
        network = Network(Random(1))
        async with served(network) as gateway:
            stream = await network.connect(CLIENT, SERVER, PORT)
            await stream.send(b"GET /health HT")
            stream.reset()
            await anyio.sleep(1)
            assert not gateway.connections
            good = await network.connect(CLIENT, SERVER, PORT)
            await good.send(b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            return await everything(good)

    assert simulate(reset, backend=backend, seed=1).startswith(b"HTTP/1.1 200 ")
