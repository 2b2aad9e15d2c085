"""Refunds, whatever goes wrong."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from hubbub import Hubbub, Money, Order, Session
from tests.shop.bank import Bank, Trouble
from tests.shop.payments.test_processor import AT_ONCE
from tests.shop.virtual_shop import Sell, usd


async def paid_and_given_back(hub: Hubbub, ann: Session, amount: Money | None = None) -> Order:
    order = await ann.shop.checkout(payment="good", key="1")
    async with hub.session("root", role="admin") as root:
        return await root.shop.refund(order.id, key="r", amount=amount)


@pytest.mark.parametrize("trouble", ["lost", "answer lost", "raises", "answer raises", "late"])
def test_whatever_goes_wrong_money_is_given_back_once(sell: Sell, trouble: Trouble) -> None:
    bank = Bank(refund=[trouble, trouble])

    async def story(hub: Hubbub, ann: Session) -> None:
        order = await paid_and_given_back(hub, ann, usd("2.00"))

        assert [one.status for one in order.refunds] == ["done"]
        assert [money for _, money in bank.refunds.values()] == [usd("2.00")]

    sell(story, payments=bank)


def test_what_the_bank_will_not_give_back_is_told(sell: Sell) -> None:
    bank = Bank()

    async def close_account(hub: Hubbub, ann: Session) -> None:
        order = await ann.shop.checkout(payment="good", key="1")
        bank.statuses[order.id] = "closed"
        async with hub.session("root", role="admin") as root:
            order = await root.shop.refund(order.id, key="r")

        [refund] = order.refunds
        assert (order.status, refund.status) == ("paid", "failed")
        assert refund.reason == "The bank gives nothing back."

    sell(close_account, payments=bank)


def test_a_refund_that_was_interrupted_is_finished(sell: Sell, tmp_path: Path) -> None:
    bank = Bank(refund=["answer lost"])

    async def story(hub: Hubbub, ann: Session) -> None:
        with anyio.move_on_after(1):
            await paid_and_given_back(hub, ann)

    async def later(hub: Hubbub, ann: Session) -> None:
        await anyio.sleep(1)
        [order] = await ann.shop.orders()
        assert (order.status, len(bank.refunds)) == ("refunded", 1)

    sell(story, later=later, url=str(tmp_path / "hub.db"), payments=bank, settings=AT_ONCE)


def test_two_refunds_of_one_order_are_both_given_back(sell: Sell) -> None:
    bank = Bank(refund=["late", "late"])

    async def story(hub: Hubbub, ann: Session) -> None:
        order = await ann.shop.checkout(payment="good", key="1")
        async with hub.session("root", role="admin") as root, anyio.create_task_group() as tasks:
            for key in ("a", "b"):
                tasks.start_soon(refund, root, order.id, key)
                await anyio.sleep(1)
        [order] = await ann.shop.orders()

        assert [one.status for one in order.refunds] == ["done", "done"]
        assert order.refunded == usd("4.00")

    sell(story, payments=bank)


async def refund(root: Session, order_id: str, key: str) -> None:
    await root.shop.refund(order_id, key=key, amount=usd("2.00"))
