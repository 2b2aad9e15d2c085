from __future__ import annotations

import logging

import anyio
import pytest
from anyio.abc import SocketAttribute

from hubbub.testing.simulation.listener import BACKLOG_MAX
from hubbub.testing.simulation.network import Network
from hubbub.testing.simulation.stream import NetworkStream
from tests.event_loop import Backend
from tests.testing.simulation.world import PORT, echo, in_world


def test_a_handler_that_fails_ends_no_other(
    backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    async def handler(stream: NetworkStream) -> None:
        if await stream.receive() == b"fail":
            raise LookupError("this connection only")
        await stream.send(b"well")

    async def test(network: Network) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(network.listen("server", PORT).serve, handler)
            good = await network.connect("client", "server", PORT)
            bad = await network.connect("client", "server", PORT)
            await bad.send(b"fail")
            with pytest.raises(anyio.BrokenResourceError):
                await bad.receive()
            await good.send(b"hello")

            assert await good.receive() == b"well"
            assert network.stats.handlers_failed == 1
            tasks.cancel_scope.cancel()

    with caplog.at_level(logging.ERROR):
        in_world(test, backend)

    assert "server:80 failed" in caplog.text


def test_handlers_run_in_a_given_task_group(backend: Backend) -> None:
    async def test(network: Network) -> None:
        async with anyio.create_task_group() as handlers:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(network.listen("server", PORT).serve, echo, handlers)
                client = await network.connect("client", "server", PORT)
                await anyio.sleep(1)
                tasks.cancel_scope.cancel()
            async with client:
                await client.send(b"hello")
                assert await client.receive() == b"hello"

    in_world(test, backend)


def test_a_closed_listener_refuses_and_resets(backend: Backend) -> None:
    async def test(network: Network) -> None:
        async def accept() -> None:
            with pytest.raises(anyio.ClosedResourceError):
                await listener.accept()

        listener = network.listen("server", PORT)
        waiting = await network.connect("client", "server", PORT)
        await listener.aclose()
        await listener.aclose()

        await accept()
        with pytest.raises(anyio.BrokenResourceError):
            await waiting.receive()
        with pytest.raises(ConnectionRefusedError):
            await network.connect("client", "server", PORT)

    in_world(test, backend)


def test_closing_it_wakes_the_task_that_accepts(backend: Backend) -> None:
    async def test(network: Network) -> None:
        async def accept() -> None:
            with pytest.raises(anyio.ClosedResourceError):
                await listener.accept()

        async with network.listen("server", PORT) as listener, anyio.create_task_group() as tasks:
            tasks.start_soon(accept)
            await anyio.sleep(1)
            listener.close()

    in_world(test, backend)


def test_connections_wait_while_its_backlog_is_full(backend: Backend) -> None:
    async def test(network: Network) -> None:
        listener = network.listen("server", PORT)
        for _ in range(BACKLOG_MAX):
            await network.connect("client", "server", PORT)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(network.connect, "client", "server", PORT)
            await anyio.sleep(10)
            connected = len(network.links)
            await listener.accept()

        assert connected == BACKLOG_MAX
        assert len(network.links) == BACKLOG_MAX + 1

    in_world(test, backend)


def test_it_can_choose_its_port(backend: Backend) -> None:
    async def test(network: Network) -> None:
        async with network.listen("server") as one, network.listen("server") as two:
            ports = {listener.address[1] for listener in (one, two)}

            assert len(ports) == 2
            assert one.extra_attributes[SocketAttribute.local_port]() in ports

    in_world(test, backend)
