"""Users leave nothing behind in a server."""

from __future__ import annotations

import gc
import os
import threading
from random import Random

import anyio

from hubbub.simulator import RunOptions, run_seed
from hubbub.simulator.leftovers import leftovers
from hubbub.testing.simulation import Network, simulate
from tests.event_loop import Backend
from tests.simulator.worlds import served, signed_in


def test_users_who_are_there_are_listed(backend: Backend) -> None:
    async def look() -> list[str]:
        network = Network(Random(1))
        async with served(network) as gateway, signed_in(network) as ann:
            room = await ann.chat.create_room("Lobby")
            async with ann.follow(room.stream):
                return list(leftovers(gateway))

    told = simulate(look, backend=backend, seed=1)
    for what in ("gateway", "sessions of sockets", "places", "online", "followers"):
        assert any(what in line for line in told)


def test_users_who_have_gone_leave_nothing(backend: Backend) -> None:
    async def look() -> list[str]:
        network = Network(Random(1))
        async with served(network) as gateway:
            async with signed_in(network) as ann:
                await ann.chat.create_room("Lobby")
            await anyio.sleep(60)
            return list(leftovers(gateway))

    assert simulate(look, backend=backend, seed=1) == []


def test_a_run_leaves_no_thread_and_no_descriptor(backend: Backend) -> None:
    options = RunOptions(backend=backend, hours=0.05, nodes=1)
    run_seed(1, options)
    gc.collect()
    before = threading.active_count(), len(os.listdir("/proc/self/fd"))

    for seed in range(2, 5):
        run_seed(seed, options)
    gc.collect()

    assert (threading.active_count(), len(os.listdir("/proc/self/fd"))) <= before
