"""
Naive services, as tutorials on testing show them: each looks, waits, and then acts on what it saw.

They need no library, so the ordinary tests run them as well.
"""

from __future__ import annotations

from functools import partial

import anyio
import anyio.lowlevel

from hubbub.testing.simulation import cancel_everywhere

from .case import Case

__all__ = ["CASES"]


class Cart:
    """Looks, asks for a price, and writes."""

    def __init__(self) -> None:
        self.lines: dict[str, tuple[int, int]] = {}

    async def add(self, product: str) -> None:
        """Add one of a product."""
        quantity, _ = self.lines.get(product, (0, 0))
        await anyio.sleep(0.01)  # asks for the price
        self.lines[product] = (quantity + 1, 500)


class Match:
    """Checks that it runs, saves, and counts."""

    def __init__(self) -> None:
        self.is_over = False
        self.points = 0
        self.result: int | None = None

    async def score(self) -> None:
        """Score a point, unless it is over."""
        if not self.is_over:
            await anyio.lowlevel.checkpoint()  # saves the point
            self.points += 1

    async def end(self) -> None:
        """End, and announce the result."""
        self.is_over = True
        self.result = self.points
        await anyio.lowlevel.checkpoint()


class RateLimiter:
    """Checks, looks up the plan of the user, and charges."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0

    async def permits(self) -> bool:
        """Charge, unless the limit is reached."""
        if self.used >= self.limit:
            return False
        await anyio.lowlevel.checkpoint()  # looks up the plan
        self.used += 1
        return True


class History:
    """Loads the messages, adds one, and saves them."""

    def __init__(self) -> None:
        self._saved: list[str] = []

    async def load(self) -> list[str]:
        """Read all messages."""
        await anyio.lowlevel.checkpoint()
        return list(self._saved)

    async def add(self, message: str) -> None:
        """Add a message."""
        messages = await self.load()
        messages.append(message)
        await anyio.lowlevel.checkpoint()  # saves
        self._saved = messages


class Seats:
    """Takes a seat, waits for the payment, and returns the seat if it fails."""

    def __init__(self) -> None:
        self.free = 1

    async def book(self) -> None:
        """Book a seat."""
        assert self.free
        self.free -= 1
        try:
            await anyio.sleep(1)  # waits for the payment
        except Exception:
            self.free += 1
            raise
        self.free += 1  # the show is over


async def cart_counts_first_adds() -> None:
    cart = Cart()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(cart.add, "mug")
        tasks.start_soon(cart.add, "mug")
    assert cart.lines["mug"][0] == 2


async def match_announces_its_last_point() -> None:
    match = Match()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(match.score)
        tasks.start_soon(match.end)
    assert match.points == match.result


async def limiter_keeps_its_limit() -> None:
    limiter = RateLimiter(3)
    permitted: list[bool] = []

    async def call() -> None:
        permitted.append(await limiter.permits())

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(call)
    assert permitted.count(True) == 3


async def history_keeps_all_messages() -> None:
    history = History()

    async def say(name: str) -> None:
        for number in range(3):
            await history.add(f"{name} {number}")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(partial(say, "ann"))
        tasks.start_soon(partial(say, "bob"))
    assert len(await history.load()) == 6


async def seats_are_free_again() -> None:
    seats = Seats()

    async def check(_: bool) -> None:
        assert seats.free == 1, "the seat of a cancelled booking is lost"

    await cancel_everywhere(seats.book, check=check)


CASES = [
    Case(
        "services",
        "a cart counts two first adds",
        cart_counts_first_adds,
        breaks="an addition is lost",
    ),
    Case(
        "services",
        "no score after a match's end",
        match_announces_its_last_point,
        breaks="a point after the result",
    ),
    Case("services", "a rate limit", limiter_keeps_its_limit, breaks="more calls than permitted"),
    Case("services", "a chat's history", history_keeps_all_messages, breaks="messages are lost"),
    Case(
        "services",
        "a booking ends with a cancellation",
        seats_are_free_again,
        breaks="`except Exception` does not see a cancellation",
    ),
]
