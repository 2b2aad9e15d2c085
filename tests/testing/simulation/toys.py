"""Small programs with a fault that an event loop's own order hides."""

from __future__ import annotations

import anyio
import anyio.lowlevel
from anyio import to_thread

__all__ = ["Cart", "Pool", "first_adds", "in_threads", "late_reader", "order_matters"]


class Cart:
    """A cart that looks, waits for a price, and then writes."""

    def __init__(self) -> None:
        self.quantities: dict[str, int] = {}

    async def add(self, sku: str) -> None:
        """Add a product."""
        if sku in self.quantities:
            self.quantities[sku] += 1
            return
        await anyio.lowlevel.checkpoint()  # the price
        self.quantities[sku] = 1


async def first_adds() -> None:
    """Add one product twice at the same time."""
    cart = Cart()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(cart.add, "mug")
        tasks.start_soon(cart.add, "mug")
    assert cart.quantities == {"mug": 2}


async def order_matters() -> None:
    """Count on it that the task that was started first runs first."""
    log: list[str] = []

    async def open_account() -> None:
        await anyio.lowlevel.checkpoint()
        log.append("opened")

    async def pay_in() -> None:
        await anyio.lowlevel.checkpoint()
        log.append("paid")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(open_account)
        tasks.start_soon(pay_in)
    assert log == ["opened", "paid"]


async def late_reader() -> None:
    """Lose an update if a task falls two steps behind another, and only then."""
    state = 0

    async def add(steps: int) -> None:
        nonlocal state
        for _ in range(steps):
            await anyio.lowlevel.checkpoint()
        seen = state
        await anyio.lowlevel.checkpoint()
        state = seen + 1

    async with anyio.create_task_group() as tasks:
        for steps in (0, 2, 4):
            tasks.start_soon(add, steps)
    assert state == 3


async def in_threads() -> None:
    """Count on it that threads end in the order in which they were started."""
    seen: list[int] = []

    async def call(number: int) -> None:
        seen.append(await to_thread.run_sync(lambda: number))

    async with anyio.create_task_group() as tasks:
        for number in range(3):
            tasks.start_soon(call, number)
    assert seen == [0, 1, 2]


class Pool:
    """Two places; each use connects first."""

    def __init__(self) -> None:
        self.free = 2

    async def use_badly(self) -> None:
        """Lose a place if it is cancelled while it connects."""
        self.free -= 1
        await anyio.sleep(0.1)
        try:
            await anyio.sleep(0.1)
        finally:
            self.free += 1

    async def use_well(self) -> None:
        """Give the place back in any case."""
        self.free -= 1
        try:
            await anyio.sleep(0.1)
            await anyio.sleep(0.1)
        finally:
            self.free += 1
