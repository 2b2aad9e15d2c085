"""Payments that the hub closes at a provider that does not know them yet."""

from __future__ import annotations

import anyio
import pytest

from hubbub import Hubbub, PaymentDeclined, Session, Settings
from hubbub.shop.payments.processor import INTERRUPTED
from tests.shop.bank import ClosingBank
from tests.shop.payments.test_processor import check, ended
from tests.shop.virtual_shop import Sell


def test_what_comes_too_late_finds_the_payment_closed(sell: Sell) -> None:
    bank = ClosingBank(authorize=["lost"])

    async def story(hub: Hubbub, ann: Session) -> None:
        with pytest.raises(PaymentDeclined) as caught:
            await ann.shop.checkout(payment="good", key="1")
        [order] = await ann.shop.orders()
        late = await bank.authorize(order.id, order.total, "good")

        assert (caught.value.message, late.status) == (INTERRUPTED, "cancelled")
        assert bank.asked == ["authorize", "look_up", "close", "authorize"]
        await check(ann, bank, order)

    sell(story, payments=bank)


def test_a_payment_that_cannot_be_closed_yet_is_asked_for_again(sell: Sell) -> None:
    bank = ClosingBank(authorize=["lost"], close=["raises", "lost", "answer raises"])

    async def story(hub: Hubbub, ann: Session) -> None:
        await ann.shop.checkout(payment="good", key="1")

        order = await ended(ann)
        assert (order.status, order.reason) == ("declined", INTERRUPTED)
        await check(ann, bank, order)

    sell(story, payments=bank, settings=Settings(checkout_seconds_max=1))


def test_an_order_that_was_cancelled_before_its_payment_has_arrived_is_closed(sell: Sell) -> None:
    bank = ClosingBank(authorize=["lost"])

    async def story(hub: Hubbub, ann: Session) -> None:
        placed = await ann.shop.checkout(payment="good", key="1")
        async with hub.session("root", role="admin") as root:
            await root.shop.cancel_order(placed.id, key="2")
        await anyio.sleep(60)
        order = await ann.shop.order(placed.id)
        late = await bank.authorize(order.id, order.total, "good")

        assert (order.status, order.reconciliation) == ("declined", "done")
        assert late.status == "cancelled"
        await check(ann, bank, order)

    sell(story, payments=bank, settings=Settings(checkout_seconds_max=1))
