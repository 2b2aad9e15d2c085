"""A WebSocket over the simulated network."""

from __future__ import annotations

from random import Random

import anyio

from hubbub.server.gateway import COME_BACK
from hubbub.simulator.dialing import PORT, SERVER, dial_over
from hubbub.testing.simulation import Network, eventually, simulate
from tests.event_loop import Backend
from tests.simulator.worlds import CLIENT, served, signed_in


def test_a_session_works_over_it(backend: Backend) -> None:
    async def chat() -> list[str]:
        network = Network(Random(1))
        async with served(network), signed_in(network) as ann:
            room = await ann.chat.create_room("Lobby")
            await ann.chat.send(room.id, "hello")
            return [message.text for message in await ann.chat.history(room.id)]

    assert simulate(chat, backend=backend, seed=1) == ["hello"]


def test_a_session_survives_a_cut_connection(backend: Backend) -> None:
    async def chat() -> int:
        network = Network(Random(1))
        async with served(network), signed_in(network) as ann:
            room = await ann.chat.create_room("Lobby")
            network.cut(CLIENT, SERVER)
            await ann.chat.send(room.id, "still here")
            return network.stats.connections

    assert simulate(chat, backend=backend, seed=1) == 2


def test_a_client_that_does_not_sign_in_is_let_go(backend: Backend) -> None:
    async def wait() -> float:
        network = Network(Random(1))
        async with served(network) as gateway, dial_over(network, CLIENT, Random(1))():
            await eventually(lambda: not gateway.connections, within=30)
            return anyio.current_time()

    assert 9 < simulate(wait, backend=backend, seed=1) < 13


def test_a_client_that_does_not_read_is_waited_for_and_loses_nothing(backend: Backend) -> None:
    async def read_slowly() -> list[int]:
        network = Network(Random(1), window=2_000)
        async with served(network) as gateway, signed_in(network) as ann:
            room = await ann.chat.create_room("Lobby")
            network.slow(SERVER, CLIENT, 5_000)
            async with gateway.hub.session("bob", role="admin") as bob:
                await bob.chat.join(room.id)
                for number in range(9):
                    await bob.chat.send(room.id, f"{number} " + "x" * 3_000)
            seqs = []
            async with ann.follow(room.stream, after=0) as events:
                async for event in events:
                    seqs.append(event.seq)
                    if len(seqs) == 11:
                        return seqs
        return seqs

    assert simulate(read_slowly, backend=backend, seed=1) == list(range(1, 12))


def test_a_server_that_stops_asks_its_clients_to_come_back(backend: Backend) -> None:
    async def stop() -> int:
        network = Network(Random(1))
        async with served(network) as gateway, signed_in(network) as ann:
            gateway.close_all(COME_BACK, "The server restarts.")
            await ann.users.update(nickname="Ann again")
            return network.stats.connections

    assert simulate(stop, backend=backend, seed=1) == 2


def test_a_silent_client_is_pinged_and_then_dropped(backend: Backend) -> None:
    async def vanish() -> float:
        network = Network(Random(1))
        async with served(network) as gateway, signed_in(network):
            network.half_open(CLIENT, SERVER)
            network.partition(CLIENT, SERVER)
            await eventually(lambda: not gateway.connections, within=120)
            return anyio.current_time()

    assert 20 < simulate(vanish, backend=backend, seed=1) < 70


def test_the_port_is_free_after_the_server_has_gone(backend: Backend) -> None:
    async def twice() -> None:
        network = Network(Random(1))
        for _ in range(2):
            async with served(network):
                await network.connect(CLIENT, SERVER, PORT)

    simulate(twice, backend=backend, seed=1)
