"""A caller who is cancelled at any moment of a checkout leaves nothing in between."""

from __future__ import annotations

from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

import hubbub
from hubbub import Hubbub, Session
from tests.shop.bank import Bank
from tests.shop.virtual_shop import STOCK, product, usd

# A checkout takes far fewer turns of the event loop than that, however slow the disk is.
TURNS_MAX = 1_000_000


async def cancelled_after(turns: int, ann: Session) -> bool:
    """Check out, and cancel the caller after some turns; return whether the caller was in time."""
    done = False

    async def buy() -> None:
        nonlocal done
        await ann.shop.checkout(payment="good", key="1")
        done = True

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(buy)
        for _ in range(turns):
            await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
    return done


async def check(hub: Hubbub, ann: Session, bank: Bank) -> None:
    with anyio.fail_after(5):
        while any(order.status == "pending" for order in await ann.shop.orders()):
            await anyio.lowlevel.checkpoint()
    orders = await ann.shop.orders()
    cart, stock = await ann.shop.cart(), (await product(ann)).stock

    assert [order.status for order in orders] in ([], ["paid"])
    assert bank.captures == {order.id: 1 for order in orders}
    assert stock == STOCK - 2 * len(orders)
    assert (len(cart.lines), cart.checkout) == (1 - len(orders), None)


@pytest.mark.parametrize("store", ["memory", "sqlite"])
async def test_a_checkout_is_cancelled_at_every_await(store: str, tmp_path: Path) -> None:
    in_time, turns = False, 0
    while not in_time and turns < TURNS_MAX:
        url = "memory://" if store == "memory" else str(tmp_path / f"{turns}.db")
        bank = Bank()
        async with hubbub.open(url, payments=bank) as hub, hub.session("ann") as ann:
            async with hub.session("root", role="admin") as root:
                await root.shop.set_product("pen", "Pen", usd("5.00"), stock=STOCK)
            await ann.shop.add_item("pen", 2)
            in_time = await cancelled_after(turns, ann)
            await check(hub, ann, bank)
            # Whoever comes back with the key finds the same order, or makes it now.
            order = await ann.shop.checkout(payment="good", key="1")
            assert (order.status, bank.captures) == ("paid", {order.id: 1})
        # A thread's answer takes many turns: of those, some are enough.
        turns += 1 if turns < 30 or store == "memory" else turns // 2

    assert in_time
    assert turns > 5
