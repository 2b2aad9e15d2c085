"""How a simulated client connects."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import anyio
import pytest

from hubbub.simulator.dialing import OPEN_SECONDS_MAX, PORT, SERVER, dial_over, server_address
from hubbub.testing.simulation import Network, simulate
from hubbub.testing.simulation.stream import NetworkStream
from hubbub.wire.connection_lost import ConnectionLost
from tests.event_loop import Backend
from tests.simulator.worlds import CLIENT, served


def lost_after(backend: Backend, arrange: Callable[[Network], None], answer: bytes) -> float:
    """Return how long it takes until a connection is lost to something that answers so."""

    async def answers(stream: NetworkStream) -> None:
        async with stream:
            await stream.receive()
            await stream.send(answer)

    async def dial() -> float:
        network = Network(Random(1))
        async with network.listen(SERVER, PORT) as listener, anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, answers)
            arrange(network)
            with pytest.raises(ConnectionLost):
                async with dial_over(network, CLIENT, Random(1))():
                    pass
            tasks.cancel_scope.cancel()
        return anyio.current_time()

    return simulate(dial, backend=backend, seed=1)


def test_nobody_there_is_a_lost_connection(backend: Backend) -> None:
    async def dial() -> None:
        with pytest.raises(ConnectionLost):
            async with dial_over(Network(Random(1)), CLIENT, Random(1))():
                pass

    simulate(dial, backend=backend, seed=1)


def test_a_partition_is_waited_for_only_so_long(backend: Backend) -> None:
    seconds = lost_after(backend, lambda network: network.partition(CLIENT, SERVER), b"")

    assert seconds == pytest.approx(OPEN_SECONDS_MAX, abs=0.1)


def test_an_answer_that_is_no_websocket_is_a_lost_connection(backend: Backend) -> None:
    refusal = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"

    assert lost_after(backend, lambda network: None, refusal) < OPEN_SECONDS_MAX


def test_the_nonce_comes_from_the_given_source(backend: Backend) -> None:
    async def dial() -> list[bytes]:
        heads: list[bytes] = []

        async def record(stream: NetworkStream) -> None:
            heads.append(await stream.receive())
            stream.close()

        for _ in range(2):
            network = Network(Random(1), split=0)
            async with network.listen(SERVER, PORT) as listener, anyio.create_task_group() as tasks:
                tasks.start_soon(listener.serve, record)
                with pytest.raises(ConnectionLost):
                    async with dial_over(network, CLIENT, Random(5))():
                        pass
                tasks.cancel_scope.cancel()
        return heads

    first, second = simulate(dial, backend=backend, seed=1)
    assert first == second


def test_two_clients_of_one_host_can_be_connected(backend: Backend) -> None:
    async def dial() -> int:
        network = Network(Random(1))
        dial = dial_over(network, CLIENT, Random(1))
        async with served(network) as gateway, dial(), dial():
            return len(gateway.connections)

    assert simulate(dial, backend=backend, seed=1) == 2


def test_a_connection_goes_to_the_node_that_is_named_or_to_a_drawn_one(backend: Backend) -> None:
    async def dial() -> list[set[int]]:
        network, reached = Network(Random(1)), list[int]()

        async def serve(node: int) -> None:
            async def note(stream: NetworkStream) -> None:
                reached.append(node)
                stream.close()

            async with network.listen(server_address(node), PORT) as listener:
                await listener.serve(note)

        async def reach(named: int | None) -> set[int]:
            reached.clear()
            dial = dial_over(network, CLIENT, Random(1), 3, node=named)
            for _ in range(20):
                with pytest.raises(ConnectionLost):
                    async with dial():
                        pass
            return set(reached)

        async with anyio.create_task_group() as tasks:
            for node in range(3):
                tasks.start_soon(serve, node)
            await anyio.sleep(1)
            found = [await reach(named) for named in (0, 2, None)]
            tasks.cancel_scope.cancel()
        return found

    assert simulate(dial, backend=backend, seed=1) == [{0}, {2}, {0, 1, 2}]
