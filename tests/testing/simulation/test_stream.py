from __future__ import annotations

from collections.abc import Awaitable, Callable
from random import Random

import anyio
import pytest
from anyio.abc import SocketAttribute
from hypothesis import given
from hypothesis import strategies as st

from hubbub.testing import run_in_virtual_time
from hubbub.testing.simulation.network import Network
from hubbub.testing.simulation.stream import NetworkStream
from tests.event_loop import Backend
from tests.testing.simulation.world import connected, in_world, network_of, reads

Test = Callable[[NetworkStream, NetworkStream, Network], Awaitable[object]]


def on_a_connection(test: Test, backend: Backend) -> None:
    async def run(network: Network) -> None:
        async with connected(network) as (client, server):
            await test(client, server, network)

    in_world(run, backend)


async def chunks_of(stream: NetworkStream, bytes_max: int) -> list[bytes]:
    got = []
    while True:
        try:
            got.append(await stream.receive(bytes_max))
        except anyio.EndOfStream:
            return got


def test_bytes_arrive_after_the_latency(backend: Backend) -> None:
    async def test(client: NetworkStream, server: NetworkStream, network: Network) -> None:
        start = anyio.current_time()
        await client.send(b"hello")
        assert await server.receive() == b"hello"

        assert anyio.current_time() - start == pytest.approx(0.1)

    on_a_connection(test, backend)


def test_a_reader_that_waits_already_gets_them_as_early(backend: Backend) -> None:
    async def test(client: NetworkStream, server: NetworkStream, network: Network) -> None:
        start = anyio.current_time()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.receive)
            await anyio.sleep(5)
            await client.send(b"hello")

        assert anyio.current_time() - start == pytest.approx(5.1)

    on_a_connection(test, backend)


@given(
    pieces=st.lists(st.binary(min_size=1, max_size=300), max_size=20),
    bytes_max=st.integers(1, 400),
    seed=st.integers(0, 10),
    slow=st.booleans(),
)
def test_bytes_arrive_in_order_however_they_are_split(
    pieces: list[bytes], bytes_max: int, seed: int, slow: bool, backend: Backend
) -> None:
    async def run() -> tuple[bytes, int]:
        network = Network(Random(seed), split=0.5, window=256)
        if slow:
            network.slow("client", "server", 1_000)
        async with connected(network) as (client, server):

            async def write() -> None:
                for piece in pieces:
                    await client.send(piece)
                await client.send_eof()

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(write)
                got = await chunks_of(server, bytes_max)
        return b"".join(got), max(map(len, got), default=0)

    got, longest = run_in_virtual_time(run, backend=backend)

    assert got == b"".join(pieces)
    assert longest <= bytes_max


def test_what_has_arrived_comes_at_once(backend: Backend) -> None:
    async def test(client: NetworkStream, server: NetworkStream, network: Network) -> None:
        await client.send(b"one ")
        await client.send(b"two")
        await anyio.sleep(1)

        assert await server.receive() == b"one two"

    on_a_connection(test, backend)


def test_a_write_may_arrive_in_pieces(backend: Backend) -> None:
    async def run() -> list[bytes]:
        async with connected(Network(Random(0), split=1.0)) as (client, server):
            await client.send(b"a message of some bytes")
            await client.send_eof()
            return [data async for data in server]

    got = run_in_virtual_time(run, backend=backend)

    assert len(got) > 1
    assert b"".join(got) == b"a message of some bytes"


def test_sending_waits_for_a_slow_reader(backend: Backend) -> None:
    async def test(client: NetworkStream, server: NetworkStream, network: Network) -> None:
        with anyio.move_on_after(10) as waited:
            await client.send(bytes(1_500))
        assert waited.cancelled_caught

        first = await server.receive()
        await client.send(b"there is room again")

        assert len(first) == 1_000

    on_a_connection(test, backend)


def test_writing_without_waiting_tells_what_is_unsent(backend: Backend) -> None:
    async def test(client: NetworkStream, server: NetworkStream, network: Network) -> None:
        client.write_nowait(bytes(1_500))
        before = client.unsent
        await server.receive()

        assert before == 500
        assert client.unsent == 0

    on_a_connection(test, backend)


def test_after_the_end_the_reader_can_still_answer(backend: Backend) -> None:
    async def test(client: NetworkStream, server: NetworkStream, network: Network) -> None:
        await client.send(b"question")
        await client.send_eof()
        await client.send_eof()
        assert await reads(server) == b"question"
        await server.send(b"answer")

        assert await client.receive() == b"answer"
        with pytest.raises(anyio.EndOfStream):
            await server.receive()
        with pytest.raises(anyio.ClosedResourceError):
            await client.send(b"more")

    on_a_connection(test, backend)


def test_what_was_written_before_closing_arrives(backend: Backend) -> None:
    async def test(client: NetworkStream, server: NetworkStream, network: Network) -> None:
        await client.send(b"goodbye")
        await client.aclose()

        assert await reads(server) == b"goodbye"

    on_a_connection(test, backend)


def test_closing_with_unread_bytes_resets_the_other_end(backend: Backend) -> None:
    async def test(client: NetworkStream, server: NetworkStream, network: Network) -> None:
        await client.send(b"nobody reads this")
        await anyio.sleep(1)
        await server.aclose()

        with pytest.raises(anyio.BrokenResourceError):
            await client.receive()

    on_a_connection(test, backend)


def test_writing_to_a_closed_end_fails_once_the_news_is_there(backend: Backend) -> None:
    async def test(client: NetworkStream, server: NetworkStream, network: Network) -> None:
        await server.aclose()
        await client.send(b"into the void")
        await anyio.sleep(0.2)

        with pytest.raises(anyio.BrokenResourceError):
            await client.send(b"more")
        assert network.stats.bytes_lost == len(b"into the void")

    on_a_connection(test, backend)


@pytest.mark.parametrize("partitioned", [False, True])
def test_a_writer_that_waits_learns_that_the_reader_is_gone(
    partitioned: bool, backend: Backend
) -> None:
    async def test(client: NetworkStream, server: NetworkStream, network: Network) -> None:
        async def write() -> None:
            with pytest.raises(anyio.BrokenResourceError):
                await client.send(bytes(5_000))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(write)
            await anyio.sleep(1)
            start = anyio.current_time()
            await server.aclose()
            if partitioned:
                network.partition("client", "server")
                await anyio.sleep(100)
                network.heal()

        assert anyio.current_time() == pytest.approx(start + 0.1 + 100 * partitioned)

    on_a_connection(test, backend)


def test_a_reset_breaks_both_ends(backend: Backend) -> None:
    async def test(client: NetworkStream, server: NetworkStream, network: Network) -> None:
        await client.send(b"lost")
        client.reset()

        with pytest.raises(anyio.BrokenResourceError):
            await client.receive()
        with pytest.raises(anyio.BrokenResourceError):
            await server.receive()
        assert network.links == []

    on_a_connection(test, backend)


def test_a_closed_end_refuses_everything(backend: Backend) -> None:
    async def test(client: NetworkStream, server: NetworkStream, network: Network) -> None:
        await client.aclose()
        await client.aclose()

        for call in (client.receive(), client.send(b"x"), client.send_eof()):
            with pytest.raises(anyio.ClosedResourceError):
                await call

    on_a_connection(test, backend)


def test_closing_wakes_those_who_wait(backend: Backend) -> None:
    async def test(client: NetworkStream, server: NetworkStream, network: Network) -> None:
        async def receive() -> None:
            with pytest.raises(anyio.ClosedResourceError):
                await client.receive()

        async def send() -> None:
            with pytest.raises(anyio.ClosedResourceError):
                await client.send(bytes(5_000))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(receive)
            tasks.start_soon(send)
            await anyio.sleep(1)
            await client.aclose()

    on_a_connection(test, backend)


def test_two_readers_at_once_are_an_error(backend: Backend) -> None:
    async def test(client: NetworkStream, server: NetworkStream, network: Network) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.receive)
            await anyio.wait_all_tasks_blocked()
            with pytest.raises(anyio.BusyResourceError):
                await client.receive()
            tasks.cancel_scope.cancel()

    on_a_connection(test, backend)


def test_a_cancelled_reader_loses_nothing(backend: Backend) -> None:
    async def test(client: NetworkStream, server: NetworkStream, network: Network) -> None:
        await client.send(b"hello")
        with anyio.move_on_after(0.05):
            await server.receive()

        assert await server.receive() == b"hello"

    on_a_connection(test, backend)


def test_it_takes_at_least_one_byte(backend: Backend) -> None:
    async def test(client: NetworkStream, server: NetworkStream, network: Network) -> None:
        with pytest.raises(ValueError, match="positive"):
            await client.receive(0)

    on_a_connection(test, backend)


def test_it_tells_its_addresses(backend: Backend) -> None:
    async def test(client: NetworkStream, server: NetworkStream, network: Network) -> None:
        told = {name: get() for name, get in client.extra_attributes.items()}

        assert told[SocketAttribute.remote_address] == ("server", 80)
        assert told[SocketAttribute.remote_port] == 80
        assert told[SocketAttribute.local_address] == server.remote
        assert SocketAttribute.raw_socket not in told

    on_a_connection(test, backend)


def test_the_same_seed_gives_the_same_times(backend: Backend) -> None:
    async def run() -> list[float]:
        times = []
        async with connected(network_of(split=0.5, seed=7)) as (client, server):
            for _ in range(20):
                await client.send(b"some bytes")
                await server.receive()
                times.append(anyio.current_time())
        return times

    assert run_in_virtual_time(run, backend=backend) == run_in_virtual_time(run, backend=backend)
