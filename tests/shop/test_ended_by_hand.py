"""Orders that an admin cancels or settles, while the provider is silent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest

from hubbub import Hubbub, Money, Order, PaymentDeclined, Session, Settings
from hubbub.shop.payments.processor import RETRY_SECONDS_MAX
from tests.shop.bank import Bank, Trouble
from tests.shop.payments.test_processor import AT_ONCE, check
from tests.shop.virtual_shop import STOCK, Sell, product


@pytest.mark.parametrize("method", ["authorize", "capture"])
@pytest.mark.parametrize("trouble", ["lost", "answer lost", "raises", "answer raises", "late"])
def test_a_cancelled_order_is_not_charged_whatever_arrives_late(
    sell: Sell, method: str, trouble: Trouble
) -> None:
    troubles: dict[str, list[Trouble | None]] = {"look_up": ["lost"], method: [trouble]}
    bank = Bank(**troubles)

    async def story(hub: Hubbub, ann: Session) -> None:
        order = await check_out_and_go(ann)
        if order.status == "pending":
            async with hub.session("root", role="admin") as root:
                await root.shop.cancel_order(order.id, key="c")
            order = await at_rest(ann)

            assert (order.status, order.reconciliation) == ("declined", "done")
            assert bank.paid(order.id) == sum(back.amount for _, back in bank.refunds.values())
            assert bank.statuses.get(order.id) in (None, "cancelled", "captured")
            assert (await product(ann)).stock == STOCK

    sell(story, payments=bank, settings=Settings(payment_seconds_max=4))


def test_a_checkout_that_waits_returns_when_the_order_is_cancelled(sell: Sell) -> None:
    bank = Bank()
    bank.down = True

    async def story(hub: Hubbub, ann: Session) -> None:
        async def cancel() -> None:
            await anyio.sleep(3)
            [order] = await ann.shop.orders()
            async with hub.session("root", role="admin") as root:
                await root.shop.cancel_order(order.id, key="2")

        start = anyio.current_time()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(cancel)
            with pytest.raises(PaymentDeclined):
                await ann.shop.checkout(payment="good", key="1")
            waited = anyio.current_time() - start
        bank.down = False
        await anyio.sleep(RETRY_SECONDS_MAX)

        assert waited == pytest.approx(3, abs=0.1)

    sell(story, payments=bank)


def test_a_refund_that_begins_while_another_is_pending_is_in_its_result(sell: Sell) -> None:
    bank = Bank()

    async def story(hub: Hubbub, ann: Session) -> None:
        bought = await ann.shop.checkout(payment="good", key="1")
        bank.down = True
        part = Money(1, bought.total.currency)
        async with hub.session("root", role="admin") as root:
            await root.shop.refund(bought.id, key="2", amount=part)
            # By now the bank is asked rarely.
            await anyio.sleep(RETRY_SECONDS_MAX)
            second = await root.shop.refund(bought.id, key="3", amount=part)
        bank.down = False
        await anyio.sleep(RETRY_SECONDS_MAX)

        assert [refund.status for refund in second.refunds] == ["pending", "pending"]

    sell(story, payments=bank, settings=Settings(checkout_seconds_max=1))


def test_a_buyer_goes_on_while_the_bank_is_silent(sell: Sell) -> None:
    bank = Bank(authorize=["answer lost"])

    async def story(hub: Hubbub, ann: Session) -> None:
        bank.on_heard = lambda method: setattr(bank, "down", True)
        first = await ann.shop.checkout(payment="good", key="1")
        await anyio.sleep(hour)
        async with hub.session("root", role="admin") as root:
            await root.shop.cancel_order(first.id, key="c")
        bank.down, bank.on_heard = False, lambda method: None
        second = await ann.shop.checkout(payment="good", key="2")
        await anyio.sleep(2 * RETRY_SECONDS_MAX)

        assert (first.status, second.status) == ("pending", "paid")
        assert bank.statuses == {first.id: "cancelled", second.id: "captured"}
        assert (await ann.shop.order(first.id)).reconciliation == "done"
        assert (await product(ann)).stock == STOCK - 2

    hour = 3600.0
    sell(story, payments=bank)


@pytest.mark.parametrize("by", ["admin", "buyer"])
def test_a_look_up_that_always_fails_locks_neither_cart_nor_stock(sell: Sell, by: str) -> None:
    bank = Bank(authorize=["answer raises"], look_up=["raises"] * 10_000)

    async def story(hub: Hubbub, ann: Session) -> None:
        first = await ann.shop.checkout(payment="good", key="1")
        # The buyer cannot cancel before the reservation has expired.
        await anyio.sleep(Settings().reservation_seconds + 60)
        if by == "buyer":
            ended = await ann.shop.cancel_order(first.id, key="c")
        else:
            async with hub.session("root", role="admin") as root:
                ended = await root.shop.cancel_order(first.id, key="c")
        stock = (await product(ann)).stock
        second = await ann.shop.checkout(payment="good", key="2")

        assert (first.status, ended.status, second.status) == ("pending", "declined", "paid")
        assert stock == STOCK
        assert ended.reconciliation == "pending"

    sell(story, payments=bank, settings=Settings(checkout_seconds_max=5))


def test_a_settled_order_is_paid_once(sell: Sell) -> None:
    bank = Bank(capture=["late"])

    async def story(hub: Hubbub, ann: Session) -> None:
        order = await check_out_and_go(ann)
        async with hub.session("root", role="admin") as root:
            # The buyer has paid in cash.
            await root.shop.settle_order(order.id, key="s")
        order = await at_rest(ann)

        assert (order.status, order.reconciliation) == ("paid", "done")
        assert bank.captures[order.id] == 1
        assert [back for _, back in bank.refunds.values()] == [order.total]

    sell(story, payments=bank)


def test_the_payment_that_an_admin_has_seen_is_kept(sell: Sell) -> None:
    bank = Bank(authorize=["answer lost"], look_up=["lost"])

    async def story(hub: Hubbub, ann: Session) -> None:
        order = await check_out_and_go(ann)
        async with hub.session("root", role="admin") as root:
            await root.shop.settle_order(order.id, key="s", payment_id=f"bank_{order.id}")
        order = await at_rest(ann)

        assert (bank.captures, bank.refunds) == ({order.id: 1}, {})
        await check(ann, bank, order)

    sell(story, payments=bank)


def test_what_the_bank_does_not_give_back_is_logged(sell: Sell, caplog: Any) -> None:
    bank = Bank(capture=["late"])

    async def story(hub: Hubbub, ann: Session) -> None:
        order = await check_out_and_go(ann)
        async with hub.session("root", role="admin") as root:
            await root.shop.cancel_order(order.id, key="c")
        bank.refunds["earlier"] = (order.id, order.total)
        order = await at_rest(ann)

        assert order.reconciliation == "failed"
        assert "look at its payment: The bank gives nothing back." in caplog.text

    sell(story, payments=bank)


def test_a_cancelled_order_is_reconciled_by_the_hub_that_is_opened_next(
    sell: Sell, tmp_path: Path
) -> None:
    bank = Bank(authorize=["answer lost"])

    async def story(hub: Hubbub, ann: Session) -> None:
        order = await check_out_and_go(ann)
        bank.down = True
        async with hub.session("root", role="admin") as root:
            await root.shop.cancel_order(order.id, key="c")

    async def later(hub: Hubbub, ann: Session) -> None:
        bank.down = False
        order = await at_rest(ann)

        assert (order.status, order.reconciliation) == ("declined", "done")
        assert list(bank.statuses.values()) == ["cancelled"]

    sell(story, later=later, url=str(tmp_path / "hub.db"), payments=bank, settings=AT_ONCE)


async def check_out_and_go(session: Session) -> Order:
    """Disconnect while the bank may still be silent; return the only order."""
    with anyio.move_on_after(1):
        await session.shop.checkout(payment="good", key="1")
    [order] = await session.shop.orders()
    return order


async def at_rest(session: Session) -> Order:
    """Wait until nothing is left to do about the only order."""
    while True:
        [order] = await session.shop.orders()
        if not order.is_open:
            return order
        await anyio.sleep(0.1)
