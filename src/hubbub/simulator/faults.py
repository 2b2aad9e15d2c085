"""Lets a fault happen to a world."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager

import anyio

from .dialing import SERVER
from .plan import PlannedFault
from .world import World

__all__ = ["happen"]

# How fast a slow connection is, in bytes a second.
SLOW_BYTES_PER_SECOND = 200.0


async def happen(fault: PlannedFault, world: World) -> None:
    """Let a fault happen, and end."""
    if fault.kind in _AT_ONCE:
        await _AT_ONCE[fault.kind](fault, world)
        return
    with _while_it_lasts(fault, world):
        await anyio.sleep(fault.seconds)


async def _crash(fault: PlannedFault, world: World) -> None:
    await world.crash(fault.seconds)


async def _crash_silently(fault: PlannedFault, world: World) -> None:
    await world.crash(fault.seconds, silently=True)


async def _restart(fault: PlannedFault, world: World) -> None:
    await world.restart(fault.seconds)


async def _cut(fault: PlannedFault, world: World) -> None:
    world.network.cut(world.host_of(fault.client), SERVER)


async def _cut_all(fault: PlannedFault, world: World) -> None:
    world.network.cut_host(SERVER)


async def _clock_jump(fault: PlannedFault, world: World) -> None:
    world.clock.ahead += fault.seconds


_AT_ONCE: Mapping[str, Callable[[PlannedFault, World], Awaitable[None]]] = {
    "crash": _crash,
    "crash silently": _crash_silently,
    "restart": _restart,
    "cut": _cut,
    "cut all": _cut_all,
    "clock jump": _clock_jump,
}


@contextmanager
def _while_it_lasts(fault: PlannedFault, world: World) -> Iterator[None]:
    switch = _switch(fault.kind, world)
    if switch is None:
        yield from _on_the_network(fault, world)
        return
    switch(True)
    yield
    switch(False)


def _on_the_network(fault: PlannedFault, world: World) -> Iterator[None]:
    host = world.host_of(fault.client)
    match fault.kind:
        case "partition":
            world.network.partition(host, SERVER)
        case "hold":
            # Requests still arrive; only the answers do not.
            world.network.hold(SERVER, host)
        case "half open":
            world.network.half_open(SERVER, host)
        case "slow":
            world.network.slow(SERVER, host, SLOW_BYTES_PER_SECOND)
        case _:
            raise ValueError(f"There is no fault of the kind {fault.kind!r}.")
    yield
    world.network.heal(host, SERVER)


def _switch(kind: str, world: World) -> Callable[[bool], None] | None:
    """Return the function that begins and ends a fault of a machine or of the provider."""
    switches: Mapping[str, Callable[[bool], None]] = {
        "disk errors": lambda on: world.machine.fail(failing=on),
        "full disk": lambda on: world.machine.fill(full=on),
        "silent provider": lambda on: setattr(world.provider, "silent", on),
        "failing provider": lambda on: setattr(world.provider, "failing", on),
    }
    return switches.get(kind)
