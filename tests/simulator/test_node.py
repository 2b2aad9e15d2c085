"""A simulated server, from life to life."""

from __future__ import annotations

from random import Random

import anyio

from hubbub.features import FEATURES
from hubbub.hub import Hubbub
from hubbub.simulator.dialing import server_address
from hubbub.simulator.jumping_clock import JumpingClock
from hubbub.simulator.machine import MemoryMachine
from hubbub.simulator.node import Node, role_of
from hubbub.testing.simulation import Network, simulate
from tests.event_loop import Backend


async def none(hub: Hubbub) -> None:
    pass


def lives_of(backend: Backend, end: str) -> list[tuple[int, bool]]:
    """End the first life of a server; return its life, and whether it is up, some times."""

    async def run() -> list[tuple[int, bool]]:
        network, machine = Network(Random(1)), MemoryMachine(Random(2))
        node = Node(1, "", 1, network, machine, JumpingClock(), None, FEATURES, {}, none)
        assert node.address == server_address(1)
        looks = list[tuple[int, bool]]()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(node.run)
            await anyio.sleep(5)
            looks.append((node.lives, node.gateway is not None))
            tasks.start_soon(getattr(node, end), 10.0)
            await anyio.sleep(8)
            looks.append((node.lives, node.gateway is not None))
            await anyio.sleep(10)
            looks.append((node.lives, node.gateway is not None))
            assert node.crashes == [5.0]
            node.host.stop()
        return looks

    return simulate(run, backend=backend, seed=1)


def test_a_server_that_crashes_starts_again(backend: Backend) -> None:
    assert lives_of(backend, "crash") == [(1, True), (1, False), (2, True)]


def test_a_server_that_stops_in_order_starts_again(backend: Backend) -> None:
    assert lives_of(backend, "restart") == [(1, True), (1, False), (2, True)]


def test_the_first_user_is_an_admin() -> None:
    assert [role_of(user) for user in ("u0", "u1")] == ["admin", "user"]
