from __future__ import annotations

import anyio
import pytest

from hubbub import Conflict, Invalid, KeyReused, Order, OutOfStock, PaymentDeclined, Session
from tests.session.selling import CARD, DECLINED, fill, stocked, usd
from tests.session.worlds import OpenWorld


async def test_what_is_in_the_cart_is_bought(world: OpenWorld) -> None:
    async with world() as here:
        await stocked(here)
        ann = await here.session("Ann")
        await fill(ann)
        order = await ann.shop.checkout(payment=CARD, key="1")
        cart, mouse = await ann.shop.cart(), await ann.shop.product("mouse")

    assert (order.status, str(order.total)) == ("paid", "1253.96 USD")
    assert order.payment_id is not None
    assert (cart.lines, mouse.stock) == ([], 8)


async def test_a_declined_card_changes_nothing(world: OpenWorld) -> None:
    async with world() as here:
        await stocked(here)
        ann = await here.session("Ann")
        await fill(ann)
        before = await ann.shop.cart()
        with pytest.raises(PaymentDeclined, match="declined"):
            await ann.shop.checkout(payment=DECLINED, key="1")
        after, mouse = await ann.shop.cart(), await ann.shop.product("mouse")
        order = await ann.shop.checkout(payment=CARD, key="2")

    assert after == before
    assert (mouse.stock, order.status) == (10, "paid")


async def test_a_key_buys_once(world: OpenWorld) -> None:
    async with world() as here:
        await stocked(here)
        ann = await here.session("Ann")
        await fill(ann)
        first = await ann.shop.checkout(payment=CARD, key="1")
        await ann.shop.add_item("mouse")
        again = await ann.shop.checkout(payment=CARD, key="1")
        orders = await ann.shop.orders()

    assert again == first
    assert orders == [first]


async def test_a_key_that_was_declined_is_declined_again(world: OpenWorld) -> None:
    async with world() as here:
        await stocked(here)
        ann = await here.session("Ann")
        await fill(ann)
        for _ in range(2):
            with pytest.raises(PaymentDeclined):
                await ann.shop.checkout(payment=DECLINED, key="1")

        assert len(await ann.shop.orders()) == 1


async def test_a_key_that_is_used_at_once_buys_once(world: OpenWorld) -> None:
    async with world() as here:
        await stocked(here)
        ann, orders = await here.session("Ann"), list[Order]()
        await fill(ann)

        async def buy() -> None:
            orders.append(await ann.shop.checkout(payment=CARD, key="1"))

        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(buy)
        mouse = await ann.shop.product("mouse")

    assert [order.status for order in orders] == ["paid"] * 5
    assert len({order.id for order in orders}) == 1
    assert mouse.stock == 8


async def test_a_key_is_for_one_payment(world: OpenWorld) -> None:
    async with world() as here:
        await stocked(here)
        ann = await here.session("Ann")
        await fill(ann)
        await ann.shop.checkout(payment=CARD, key="1")

        with pytest.raises(KeyReused):
            await ann.shop.checkout(payment="pm_card_visa", key="1")


async def test_what_is_there_is_sold_exactly(world: OpenWorld) -> None:
    async with world() as here:
        await stocked(here, stock=7)
        buyers = await here.sessions(*(f"Buyer {number}" for number in range(20)))
        bought, refused = list[Order](), list[str]()

        async def buy(buyer: Session) -> None:
            await buyer.shop.add_item("mouse")
            try:
                bought.append(await buyer.shop.checkout(payment=CARD, key="1"))
            except OutOfStock as error:
                refused.append(error.message)

        async with anyio.create_task_group() as tasks:
            for buyer in buyers:
                tasks.start_soon(buy, buyer)
        mouse = await buyers[0].shop.product("mouse")

    assert (len(bought), len(refused), mouse.stock) == (7, 13, 0)


async def test_what_is_declined_is_sold_to_others(world: OpenWorld) -> None:
    async with world() as here:
        await stocked(here, stock=1)
        ann, bob = await here.sessions("Ann", "Bob")
        for session in (ann, bob):
            await session.shop.add_item("mouse")
        with pytest.raises(PaymentDeclined):
            await ann.shop.checkout(payment=DECLINED, key="1")
        order = await bob.shop.checkout(payment=CARD, key="1")

    assert order.status == "paid"


async def test_what_costs_nothing_needs_no_payment(world: OpenWorld) -> None:
    async with world() as here:
        admin = await stocked(here)
        await admin.shop.set_coupon("gift", percent=100)
        ann = await here.session("Ann")
        await ann.shop.add_item("mouse")
        await ann.shop.apply_coupon("gift")
        order = await ann.shop.checkout(payment=DECLINED, key="1")

    assert (order.status, order.total, order.payment_id) == ("paid", usd("0"), None)


async def test_an_unknown_card_is_declined(world: OpenWorld) -> None:
    async with world() as here:
        await stocked(here)
        ann = await here.session("Ann")
        await ann.shop.add_item("mouse")

        with pytest.raises(PaymentDeclined, match="4242424242424242 pays"):
            await ann.shop.checkout(payment="my card", key="1")


@pytest.mark.parametrize("payment", ["", "x" * 5_000, "a\nb"])
async def test_what_can_be_no_payment_is_refused(world: OpenWorld, payment: str) -> None:
    async with world() as here:
        ann = await here.session("Ann")

        with pytest.raises(Invalid):
            await ann.shop.checkout(payment=payment, key="1")


@pytest.mark.parametrize("key", ["", "x" * 1_000])
async def test_a_checkout_has_a_good_key(world: OpenWorld, key: str) -> None:
    async with world() as here:
        ann = await here.session("Ann")

        with pytest.raises(Invalid):
            await ann.shop.checkout(payment=CARD, key=key)


async def test_an_empty_cart_is_not_bought(world: OpenWorld) -> None:
    async with world() as here:
        ann = await here.session("Ann")

        with pytest.raises(Conflict, match="empty"):
            await ann.shop.checkout(payment=CARD, key="1")
