"""News of a payment ends the pause before the next request to the provider."""

from __future__ import annotations

from collections import deque

import anyio
import pytest

from hubbub import Hubbub, Session, Settings
from hubbub.shop.payments.processor import RETRY_SECONDS_MAX, RETRY_SECONDS_MIN
from hubbub.shop.runtime import Storefront
from tests.shop.bank import Bank
from tests.shop.virtual_shop import Sell

# A buyer needs so long to confirm a payment, and until then the pauses have become long.
CONFIRM_SECONDS = 130.0
QUICK = Settings(checkout_seconds_max=1.0)


async def settled(session: Session) -> float:
    """Wait until the only order has ended and its payment is clear; return the seconds."""
    began = anyio.current_time()
    while True:
        [order] = await session.shop.orders()
        if not order.is_open:
            return anyio.current_time() - began
        await anyio.sleep(0.01)


@pytest.mark.parametrize("seconds", [0.0, 1.0, CONFIRM_SECONDS, 600.0])
def test_an_order_is_paid_as_soon_as_the_provider_tells(sell: Sell, seconds: float) -> None:
    bank = Bank()

    async def story(hub: Hubbub, ann: Session) -> None:
        order = await ann.shop.checkout(payment="slow", key="1")
        await anyio.sleep(seconds)
        bank.approve()
        hub.runtime(Storefront).processor.look_at(order.id)

        assert await settled(ann) < RETRY_SECONDS_MIN
        assert (await ann.shop.order(order.id)).status == "paid"

    sell(story, payments=bank, settings=QUICK)


def test_news_that_comes_during_a_request_is_not_lost(sell: Sell) -> None:
    bank = Bank()

    async def story(hub: Hubbub, ann: Session) -> None:
        processor = hub.runtime(Storefront).processor
        order = await ann.shop.checkout(payment="slow", key="1")
        await anyio.sleep(CONFIRM_SECONDS)
        bank.troubles["look_up"] = deque(["late"])
        processor.look_at(order.id)
        await anyio.sleep(0.1)
        bank.approve()
        processor.look_at(order.id)

        assert await settled(ann) < RETRY_SECONDS_MIN + 3.0

    sell(story, payments=bank, settings=QUICK)


def test_news_of_something_else_does_not_end_the_pauses(sell: Sell) -> None:
    bank = Bank()

    async def story(hub: Hubbub, ann: Session) -> None:
        order = await ann.shop.checkout(payment="slow", key="1")
        await anyio.sleep(CONFIRM_SECONDS)
        hub.runtime(Storefront).processor.look_at(order.id)
        await anyio.sleep(1)
        count = len(bank.asked)
        await anyio.sleep(600)

        # The pauses double again, up to the longest.
        assert len(bank.asked) - count < 600 / RETRY_SECONDS_MAX + 8

    sell(story, payments=bank, settings=QUICK)


def test_a_repeated_call_does_not_make_the_hub_ask_the_provider(sell: Sell) -> None:
    bank = Bank()

    async def story(hub: Hubbub, ann: Session) -> None:
        await ann.shop.checkout(payment="slow", key="1")
        await anyio.sleep(CONFIRM_SECONDS)
        count = len(bank.asked)
        for _ in range(20):
            assert (await ann.shop.checkout(payment="slow", key="1")).status == "pending"

        assert len(bank.asked) - count <= 1

    sell(story, payments=bank, settings=QUICK)


@pytest.mark.parametrize("method", ["cancel_order", "settle_order"])
def test_the_charge_of_an_order_that_was_ended_by_hand_is_let_go_at_once(
    sell: Sell, method: str
) -> None:
    bank = Bank()

    async def story(hub: Hubbub, ann: Session) -> None:
        order = await ann.shop.checkout(payment="slow", key="1")
        await anyio.sleep(CONFIRM_SECONDS)
        async with hub.session("root", role="admin") as root:
            await getattr(root.shop, method)(order.id, key="2")

        assert await settled(ann) < RETRY_SECONDS_MIN
        assert list(bank.statuses.values()) == ["cancelled"]

    sell(story, payments=bank, settings=QUICK)
