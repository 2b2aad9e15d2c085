from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from hubbub import Conflict, NotAllowed, NotFound, Order, Session, Settings
from hubbub.journal.shards import stream_shard
from hubbub.shop.orders import user_orders
from tests.session.selling import CARD, fill, stocked, usd
from tests.session.worlds import OpenWorld, World
from tests.shop.bank import Bank


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


async def test_nobody_reads_what_is_not_theirs(world: OpenWorld) -> None:
    async with world() as here:
        admin = await stocked(here)
        await admin.shop.set_coupon("spring", percent=10)
        ann, bob = await here.sessions("Ann", "Bob")
        order = await bought(here, ann)
        schedule = stream_shard("agenda/orders", order.stream)
        streams = [order.stream, "coupon/SPRING", f"sandbox/{order.id}", schedule]

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


class SilentBank(Bank):
    """A bank that answers nothing."""

    async def _call(self, method: str, do: Callable[[], Any]) -> Any:
        await anyio.sleep_forever()


SILENT = Settings(
    payment_seconds_max=0.01, checkout_seconds_max=0.01, drain_seconds_max=0.01, message_limit=1_000
)


async def test_an_admin_cancels_what_the_provider_does_not_decide(world: OpenWorld) -> None:
    async with world(SILENT, payments=SilentBank()) as here:
        admin = await stocked(here)
        ann = await here.session("Ann")
        order = await bought(here, ann)
        with pytest.raises(Conflict):
            await ann.shop.cancel_order(order.id, key="c")
        with pytest.raises(NotAllowed):
            await ann.shop.settle_order(order.id, key="s")
        held = (await ann.shop.product("mouse")).stock
        done = await admin.shop.cancel_order(order.id, key="c")
        again = await admin.shop.cancel_order(order.id, key="c")
        cart, stock = await ann.shop.cart(), (await ann.shop.product("mouse")).stock
        second = await ann.shop.checkout(payment=CARD, key="2")

    assert (order.status, held, done.status, stock) == ("pending", 8, "declined", 10)
    assert (done.reconciliation, again) == ("pending", done)
    assert (len(cart.lines), cart.checkout, second.status) == (3, None, "pending")


async def test_a_buyer_cancels_when_the_reservation_is_over(world: OpenWorld) -> None:
    async with world(SILENT, payments=SilentBank()) as here:
        await stocked(here)
        ann, bob = await here.sessions("Ann", "Bob")
        order = await bought(here, ann)
        here.clock.passed = SILENT.reservation_seconds
        with pytest.raises(NotAllowed):
            await bob.shop.cancel_order(order.id, key="c")
        done = await ann.shop.cancel_order(order.id, key="c")

    assert done.status == "declined"


async def test_an_admin_settles_what_the_provider_does_not_decide(world: OpenWorld) -> None:
    async with world(SILENT, payments=SilentBank()) as here:
        admin = await stocked(here)
        ann = await here.session("Ann")
        order = await bought(here, ann)
        done = await admin.shop.settle_order(order.id, key="s", payment_id="seen")
        with pytest.raises(Conflict):
            await admin.shop.cancel_order(order.id, key="c")
        cart, invoice = await ann.shop.cart(), await ann.shop.invoice(order.id)

    assert (done.status, done.payment_id, done.reconciliation) == ("paid", "seen", "pending")
    assert cart.lines == []
    assert order.id in invoice


async def test_an_admin_sees_which_orders_wait_for_the_provider(world: OpenWorld) -> None:
    async with world(SILENT, payments=SilentBank()) as here:
        admin = await stocked(here)
        ann, bob = await here.sessions("Ann", "Bob")
        first, second = await bought(here, ann), await bought(here, bob)
        with pytest.raises(NotAllowed):
            await ann.shop.open_orders()
        waiting = await admin.shop.open_orders()
        done = await admin.shop.cancel_order(first.id, key="c")
        ended = await admin.shop.open_orders()

    assert waiting == [first, second]
    # The provider has not said yet whether it takes something for the one that is ended.
    assert ended == [done, second]


async def test_an_order_that_is_done_with_waits_for_nothing(world: OpenWorld) -> None:
    async with world() as here:
        admin = await stocked(here)
        ann = await here.session("Ann")
        order = await bought(here, ann)

        assert (order.status, await admin.shop.open_orders()) == ("paid", [])


async def test_so_many_open_orders_are_listed(
    world: OpenWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user_orders, "OPEN_ORDERS_MAX", 1)
    async with world(SILENT, payments=SilentBank()) as here:
        admin = await stocked(here)
        ann, bob = await here.sessions("Ann", "Bob")
        first, _ = await bought(here, ann), await bought(here, bob)

        assert await admin.shop.open_orders() == [first]


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
