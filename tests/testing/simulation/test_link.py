from __future__ import annotations

import anyio
import pytest

from hubbub.testing.simulation.network import Network
from tests.event_loop import Backend
from tests.testing.simulation.world import connected, in_world


def test_it_knows_its_ends(backend: Backend) -> None:
    async def test(network: Network) -> None:
        async with connected(network) as (client, server):
            [link] = network.links

            assert link.hosts == ("client", "server")
            assert link.end_at("client") is link.end_towards("server") is client
            assert link.end_at("server") is link.end_towards("client") is server

    in_world(test, backend)


def test_it_lives_as_long_as_one_end(backend: Backend) -> None:
    async def test(network: Network) -> None:
        async with connected(network) as (client, server):
            [link] = network.links
            await client.aclose()
            assert not link.is_over
            await server.aclose()

            assert link.is_over
            assert network.links == []

    in_world(test, backend)


def test_half_open_one_end_breaks(backend: Backend) -> None:
    async def test(network: Network) -> None:
        async with connected(network) as (client, server):
            network.links[0].half_open("server")
            await client.send(b"are you there?")

            with pytest.raises(anyio.BrokenResourceError):
                await server.receive()

    in_world(test, backend)
