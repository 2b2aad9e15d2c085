from __future__ import annotations

import errno
from random import Random

import anyio
import pytest

from hubbub.testing import run_in_virtual_time
from hubbub.testing.simulation.network import WINDOW_BYTES, Network
from tests.event_loop import Backend
from tests.testing.simulation.world import PORT, connected, echo, in_world, network_of


def test_connecting_takes_the_way_there_and_back(backend: Backend) -> None:
    async def test(network: Network) -> None:
        network.listen("server", PORT)
        await network.connect("client", "server", PORT)

        assert anyio.current_time() == pytest.approx(0.2)

    in_world(test, backend)


def test_where_nothing_listens_connecting_is_refused(backend: Backend) -> None:
    async def test(network: Network) -> None:
        with pytest.raises(ConnectionRefusedError):
            await network.connect("client", "server", PORT)

        assert anyio.current_time() == pytest.approx(0.2)
        assert network.stats.refused == 1

    in_world(test, backend)


def test_a_port_is_listened_to_once(backend: Backend) -> None:
    async def test(network: Network) -> None:
        async with network.listen("server", PORT):
            with pytest.raises(OSError, match="already") as refused:
                network.listen("server", PORT)
        network.listen("server", PORT)

        assert refused.value.errno == errno.EADDRINUSE

    in_world(test, backend)


def test_during_a_partition_nothing_arrives_either_way(backend: Backend) -> None:
    async def test(network: Network) -> None:
        async with connected(network) as (client, server):
            network.partition("client", "server")
            await client.send(b"up")
            await server.send(b"down")
            for end in (client, server):
                with anyio.move_on_after(60) as waited:
                    await end.receive()
                assert waited.cancelled_caught
            network.heal("client", "server")

            assert await server.receive() == b"up"
            assert await client.receive() == b"down"

    in_world(test, backend)


def test_what_arrived_before_a_partition_can_be_read(backend: Backend) -> None:
    async def test(network: Network) -> None:
        async with connected(network) as (client, server):
            await client.send(b"before")
            await anyio.sleep(0.1)
            network.partition("client", "server")

            assert await server.receive() == b"before"

    in_world(test, backend)


def test_a_reader_that_waits_is_woken_when_it_is_healed(backend: Backend) -> None:
    async def test(network: Network) -> None:
        async with connected(network) as (client, server):
            await client.send(b"on its way")
            network.partition("client", "server")
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(server.receive)
                await anyio.sleep(60)
                network.heal()
            assert anyio.current_time() == pytest.approx(60.3)

    in_world(test, backend)


def test_to_hold_stops_one_direction(backend: Backend) -> None:
    async def test(network: Network) -> None:
        async with connected(network) as (client, server):
            network.hold("client", "server")
            await client.send(b"up")
            await server.send(b"down")
            assert await client.receive() == b"down"
            with anyio.move_on_after(60) as waited:
                await server.receive()

            assert waited.cancelled_caught

    in_world(test, backend)


def test_a_partition_concerns_no_other_hosts(backend: Backend) -> None:
    async def test(network: Network) -> None:
        network.partition("client", "other")
        async with connected(network) as (client, server):
            await client.send(b"hello")

            assert await server.receive() == b"hello"

    in_world(test, backend)


def test_connecting_waits_for_the_end_of_a_partition(backend: Backend) -> None:
    async def test(network: Network) -> None:
        network.listen("server", PORT)
        network.partition("client", "server")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(network.connect, "client", "server", PORT)
            await anyio.sleep(60)
            network.heal()

        assert 60 < anyio.current_time() < 61

    in_world(test, backend)


def test_connecting_can_time_out(backend: Backend) -> None:
    async def run() -> None:
        network = Network(Random(0), connect_timeout=30)
        network.listen("server", PORT)
        network.partition("client", "server")
        with pytest.raises(TimeoutError):
            await network.connect("client", "server", PORT)

        assert anyio.current_time() == pytest.approx(30)

    run_in_virtual_time(run, backend=backend)


def test_a_cancelled_connection_is_reset(backend: Backend) -> None:
    async def test(network: Network) -> None:
        listener = network.listen("server", PORT)
        with anyio.move_on_after(0.15):
            await network.connect("client", "server", PORT)
        server = await listener.accept()

        with pytest.raises(anyio.BrokenResourceError):
            await server.receive()
        assert network.links == []

    in_world(test, backend)


def test_to_cut_breaks_both_ends_at_once(backend: Backend) -> None:
    async def test(network: Network) -> None:
        async with connected(network) as (client, server):
            await client.send(b"under way")
            cut = network.cut("server", "client")

            assert cut == 1
            for end in (client, server):
                with pytest.raises(anyio.BrokenResourceError):
                    await end.receive()
                with pytest.raises(anyio.BrokenResourceError):
                    await end.send(b"more")
        assert network.stats.bytes_lost == len(b"under way")
        assert network.links == []

    in_world(test, backend)


def test_to_cut_a_host_cuts_all_its_connections(backend: Backend) -> None:
    async def test(network: Network) -> None:
        async with (
            connected(network),
            network.listen("server", 81),
            await network.connect("other", "server", 81),
            network.listen("other", 81),
            await network.connect("client", "other", 81),
        ):
            cut = network.cut_host("server")

            assert cut == 2
            assert [link.hosts for link in network.links] == [("client", "other")]

    in_world(test, backend)


def test_a_slow_route_takes_its_time(backend: Backend) -> None:
    async def run() -> None:
        network = Network(Random(0), latency=(0.1, 0.1))
        network.slow("client", "server", 1_000)
        async with connected(network) as (client, server):
            start, got = anyio.current_time(), b""
            await client.send(bytes(10_000))
            first = await server.receive()
            soon = anyio.current_time()
            while len(first + got) < 10_000:
                got += await server.receive()

            assert soon - start < 1
            assert anyio.current_time() - start == pytest.approx(10.1)

    run_in_virtual_time(run, backend=backend)


def test_half_open_one_end_notices_nothing(backend: Backend) -> None:
    async def test(network: Network) -> None:
        async with connected(network) as (client, server):
            network.half_open("client", "server")
            await server.send(b"into the void")
            with anyio.move_on_after(1_000) as waited:
                await server.receive()

            assert waited.cancelled_caught
            with pytest.raises(anyio.BrokenResourceError):
                await client.receive()

    in_world(test, backend)


def test_half_open_the_window_fills_at_last(backend: Backend) -> None:
    async def test(network: Network) -> None:
        async with connected(network) as (_, server):
            network.half_open("client", "server")
            with anyio.move_on_after(60) as waited:
                await server.send(bytes(1_001))

            assert waited.cancelled_caught

    in_world(test, backend)


def test_half_open_the_hosts_can_connect_anew(backend: Backend) -> None:
    async def test(network: Network) -> None:
        async with connected(network):
            network.half_open("client", "server")
            async with connected(network) as (client, server):
                await client.send(b"it is me again")

                assert await server.receive() == b"it is me again"

    in_world(test, backend)


@pytest.mark.parametrize("written", ["before", "after"])
def test_half_open_is_found_out_by_writing_once_healed(backend: Backend, written: str) -> None:
    async def test(network: Network) -> None:
        async with connected(network) as (_, server):
            network.half_open("client", "server")
            if written == "before":
                await server.send(b"are you there?")
            network.heal()
            if written == "after":
                await server.send(b"are you there?")

            with pytest.raises(anyio.BrokenResourceError):
                await server.receive()

    in_world(test, backend)


def test_half_open_nobody_finds_it_out_by_reading(backend: Backend) -> None:
    async def test(network: Network) -> None:
        async with connected(network) as (_, server):
            network.half_open("client", "server")
            network.heal()
            with anyio.move_on_after(1_000) as waited:
                await server.receive()

            assert waited.cancelled_caught

    in_world(test, backend)


def test_a_host_without_power_answers_nobody(backend: Backend) -> None:
    async def test(network: Network) -> None:
        async with connected(network) as (client, _):
            network.power_off("server", silently=True)
            await client.send(b"are you there?")
            with anyio.move_on_after(60) as waited:
                await network.connect("client", "server", PORT)
            assert waited.cancelled_caught
            network.power_on("server")

            with pytest.raises(ConnectionRefusedError):
                await network.connect("client", "server", PORT)
            with pytest.raises(anyio.BrokenResourceError):
                await client.receive()

    in_world(test, backend)


def test_it_counts_what_happened(backend: Backend) -> None:
    async def test(network: Network) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(network.listen("server", PORT).serve, echo)
            async with await network.connect("client", "server", PORT) as client:
                await client.send(b"hello")
                await client.receive()
                network.partition("client", "server")
                network.hold("client", "server")
                network.slow("client", "server", 100)
                network.heal()
                network.cut("client", "server")
            tasks.cancel_scope.cancel()
        stats = network.stats

        assert (stats.connections, stats.bytes_sent, stats.bytes_received) == (1, 10, 10)
        assert (stats.partitions, stats.holds, stats.slowed, stats.heals) == (1, 1, 1, 1)
        assert (stats.cuts, stats.half_open) == (1, 0)

    in_world(test, backend)


def test_the_window_is_64_kibibytes_unless_told_otherwise(backend: Backend) -> None:
    async def run() -> None:
        async with connected(Network(Random(0))) as (client, _):
            client.write_nowait(bytes(WINDOW_BYTES + 1))

            assert client.unsent == 1

    run_in_virtual_time(run, backend=backend)


def test_a_cut_connection_can_be_chosen_by_hand(backend: Backend) -> None:
    async def test(network: Network) -> None:
        async with connected(network) as (client, _), connected(network) as (other, server):
            network.links[0].cut()
            await other.send(b"hello")

            assert await server.receive() == b"hello"
            with pytest.raises(anyio.BrokenResourceError):
                await client.receive()

    in_world(test, backend)


def test_a_network_can_be_made_outside_of_the_event_loop(backend: Backend) -> None:
    network = network_of()

    async def run() -> bytes:
        async with connected(network) as (client, server):
            await client.send(b"hello")
            return await server.receive()

    assert run_in_virtual_time(run, backend=backend) == b"hello"
