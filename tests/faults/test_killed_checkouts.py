"""A process that is killed among many payments has charged what was bought, and once."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest
from anyio import to_thread

import hubbub
from hubbub import Hubbub, Order, Session
from hubbub.journal.command import Command, nothing
from hubbub.journal.decide.states import States
from hubbub.shop.payments.sandbox import SandboxState
from tests.faults.doomed_shop import CARDS, STOCK
from tests.faults.killing import kill_after

BUYERS = 100
# By then all of them wait for a card that answers late.
KILLED_AFTER = [1, 60]


def kill_one(path: Path, backend: str, count: int) -> list[list[str]]:
    """Run a shop and kill it after some acknowledgements; return them."""
    return kill_after(count, "doomed_shop.py", path, backend, BUYERS)


@pytest.mark.parametrize("count", KILLED_AFTER)
@pytest.mark.timeout(60)
async def test_what_was_charged_is_what_was_bought(
    tmp_path: Path, backend: str, count: int
) -> None:
    path = tmp_path / "hubbub.db"
    told = await to_thread.run_sync(kill_one, path, backend, count)
    async with hubbub.open(str(path)) as hub:
        with anyio.fail_after(30):
            orders = [order for number in range(BUYERS) for order in await ended(hub, number)]
        charged = {order.id: await taken(hub, order) for order in orders}
        async with hub.session("root") as root:
            stock = (await root.shop.product("pen")).stock
        again = [await buy_again(hub, *line) for line in told[:20]]

    statuses = {order.id: order.status for order in orders}
    assert {statuses[order] for _, _, order in told} == {"paid"}
    assert set(statuses.values()) == {"paid", "declined"} or count == 1
    for order in orders:
        assert charged[order.id] == (order.total if order.status == "paid" else None)
    sold = sum(line.quantity for order in orders if order.status == "paid" for line in order.lines)
    assert stock == STOCK - sold
    assert again == [order for _, _, order in told[:20]]


async def ended(hub: Hubbub, number: int) -> list[Order]:
    """Wait until all orders of a buyer have ended."""
    async with hub.session(f"user{number}") as session:
        while any(order.status == "pending" for order in await orders_of(session)):  # noqa: ASYNC110
            await anyio.sleep(0.01)
        orders = await orders_of(session)
        assert (await session.shop.cart()).checkout is None
    return orders


async def orders_of(session: Session) -> list[Order]:
    return await session.shop.orders()


async def taken(hub: Hubbub, order: Order) -> hubbub.Money | None:
    """Tell what the sandbox has taken for an order."""
    stream = f"sandbox/{order.id}"

    def result(states: States, events: object) -> hubbub.Money | None:
        return states.of(SandboxState, stream).amount

    return await hub.journal.execute(Command("/hub", nothing, result, reads=(stream,)))


async def buy_again(hub: Hubbub, user: str, key: str, order: str) -> str:
    """Use a key again; the order is the one that it made."""
    card = CARDS[(int(user.removeprefix("user")) + int(key)) % len(CARDS)]
    async with hub.session(user) as session:
        return (await session.shop.checkout(payment=card, key=key)).id
