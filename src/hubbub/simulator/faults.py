"""Lets a fault happen to a world."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import anyio

from .dialing import SERVER
from .plan import PlannedFault
from .world import World

__all__ = ["happen"]


async def happen(fault: PlannedFault, world: World) -> None:
    """Let a fault happen, and end."""
    await _FAULTS[fault.kind](fault, world)


async def _crash(fault: PlannedFault, world: World) -> None:
    await world.crash(fault.seconds)


async def _crash_silently(fault: PlannedFault, world: World) -> None:
    await world.crash(fault.seconds, silently=True)


async def _restart(fault: PlannedFault, world: World) -> None:
    await world.restart(fault.seconds)


async def _partition(fault: PlannedFault, world: World) -> None:
    host = world.host_of(fault.client)
    world.network.partition(host, SERVER)
    await anyio.sleep(fault.seconds)
    world.network.heal(host, SERVER)


async def _hold(fault: PlannedFault, world: World) -> None:
    host = world.host_of(fault.client)
    # One direction is enough to be cut off; the other still carries requests.
    world.network.hold(SERVER, host)
    await anyio.sleep(fault.seconds)
    world.network.heal(host, SERVER)


async def _cut(fault: PlannedFault, world: World) -> None:
    world.network.cut(world.host_of(fault.client), SERVER)


async def _cut_all(fault: PlannedFault, world: World) -> None:
    world.network.cut_host(SERVER)


async def _half_open(fault: PlannedFault, world: World) -> None:
    host = world.host_of(fault.client)
    world.network.half_open(SERVER, host)
    await anyio.sleep(fault.seconds)
    world.network.heal(host, SERVER)


async def _slow(fault: PlannedFault, world: World) -> None:
    host = world.host_of(fault.client)
    world.network.slow(SERVER, host, 200.0)
    await anyio.sleep(fault.seconds)
    world.network.heal(host, SERVER)


async def _disk_errors(fault: PlannedFault, world: World) -> None:
    world.machine.fail(failing=True)
    await anyio.sleep(fault.seconds)
    world.machine.fail(failing=False)


async def _full_disk(fault: PlannedFault, world: World) -> None:
    world.machine.fill(full=True)
    await anyio.sleep(fault.seconds)
    world.machine.fill(full=False)


async def _clock_jump(fault: PlannedFault, world: World) -> None:
    world.clock.ahead += fault.seconds


async def _silent_provider(fault: PlannedFault, world: World) -> None:
    world.provider.silent = True
    await anyio.sleep(fault.seconds)
    world.provider.silent = False


async def _failing_provider(fault: PlannedFault, world: World) -> None:
    world.provider.failing = True
    await anyio.sleep(fault.seconds)
    world.provider.failing = False


_FAULTS: Mapping[str, Callable[[PlannedFault, World], Awaitable[None]]] = {
    "crash": _crash,
    "crash silently": _crash_silently,
    "restart": _restart,
    "partition": _partition,
    "hold": _hold,
    "cut": _cut,
    "cut all": _cut_all,
    "half open": _half_open,
    "slow": _slow,
    "disk errors": _disk_errors,
    "full disk": _full_disk,
    "clock jump": _clock_jump,
    "silent provider": _silent_provider,
    "failing provider": _failing_provider,
}
