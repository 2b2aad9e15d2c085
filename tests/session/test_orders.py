from __future__ import annotations

import pytest

from hubbub import Conflict, NotAllowed, NotFound, Order, Session
from tests.session.selling import CARD, fill, stocked, usd
from tests.session.worlds import OpenWorld, World


async def bought(here: World, session: Session, key: str = "1") -> Order:
    await fill(session)
    return await session.shop.checkout(payment=CARD, key=key)


async def test_orders_are_found_again(world: OpenWorld) -> None:
    async with world() as here:
        await stocked(here)
        ann = await here.session("Ann")
        orders = [await bought(here, ann, key) for key in ("1", "2")]

        assert await ann.shop.orders() == orders
        assert await ann.shop.order(orders[0].id) == orders[0]


async def test_an_order_is_its_buyers_and_an_admins(world: OpenWorld) -> None:
    async with world() as here:
        admin = await stocked(here)
        ann, bob = await here.sessions("Ann", "Bob")
        order = await bought(here, ann)

        assert await admin.shop.order(order.id) == order
        assert await bob.shop.orders() == []
        with pytest.raises(NotAllowed):
            await bob.shop.order(order.id)
        with pytest.raises(NotAllowed):
            await bob.shop.invoice(order.id)
        with pytest.raises(NotFound):
            await ann.shop.order("nothing")


async def test_nobody_reads_what_is_not_his(world: OpenWorld) -> None:
    async with world() as here:
        admin = await stocked(here)
        await admin.shop.set_coupon("spring", percent=10)
        ann, bob = await here.sessions("Ann", "Bob")
        order = await bought(here, ann)
        streams = [order.stream, "coupon/SPRING", f"sandbox/{order.id}", "agenda/orders"]

        for stream in streams:
            with pytest.raises(NotAllowed):
                await bob.read(stream)
        events = await ann.read(order.stream)
        assert [type(event.data).__name__ for event in events] == ["Placed", "Paid"]


async def test_an_order_is_given_back_in_parts(world: OpenWorld) -> None:
    async with world() as here:
        admin = await stocked(here)
        ann = await here.session("Ann")
        order = await bought(here, ann)
        part = await admin.shop.refund(order.id, key="a", amount=usd("53.96"))
        again = await admin.shop.refund(order.id, key="a", amount=usd("53.96"))
        rest = await admin.shop.refund(order.id, key="b")
        history = (await ann.shop.order(order.id)).history

    assert (part.status, part.refunded) == ("paid", usd("53.96"))
    assert again == part
    assert (rest.status, rest.refunded) == ("refunded", order.total)
    assert [change.status for change in history] == ["pending", "paid", "refunded"]


async def test_no_more_is_given_back_than_was_paid(world: OpenWorld) -> None:
    async with world() as here:
        admin = await stocked(here)
        ann = await here.session("Ann")
        order = await bought(here, ann)

        with pytest.raises(Conflict):
            await admin.shop.refund(order.id, key="a", amount=usd("1253.97"))
        await admin.shop.refund(order.id, key="b")
        with pytest.raises(Conflict):
            await admin.shop.refund(order.id, key="c", amount=usd("0.01"))


async def test_only_an_admin_gives_back(world: OpenWorld) -> None:
    async with world() as here:
        await stocked(here)
        ann = await here.session("Ann")
        order = await bought(here, ann)

        with pytest.raises(NotAllowed):
            await ann.shop.refund(order.id, key="a")


async def test_an_invoice_is_a_page(world: OpenWorld) -> None:
    async with world() as here:
        await stocked(here)
        ann = await here.session("Ann")
        order = await bought(here, ann)
        page = await ann.shop.invoice(order.id, locale="de_DE")

    assert order.id in page
    assert "1.253,96\N{NO-BREAK SPACE}$" in page
