from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from hubbub import (
    Hubbub,
    Order,
    PaymentDeclined,
    RateLimited,
    Session,
    Settings,
)
from hubbub.shop.payments.processor import (
    INTERRUPTED,
    INVOICES_AT_ONCE_MAX,
    RETRY_SECONDS_MAX,
    RETRY_SECONDS_MIN,
)
from hubbub.shop.runtime import Storefront
from tests.shop.bank import Bank, Trouble
from tests.shop.virtual_shop import STOCK, Sell, product

# The hub is left at once, as if the process had died.
AT_ONCE = Settings(drain_seconds_max=0.01)


async def ended(session: Session) -> Order:
    """Wait until the only order is at its end."""
    while True:
        orders = await session.shop.orders()
        if orders and orders[0].status != "pending":
            return orders[0]
        await anyio.sleep(0.1)


async def check(session: Session, bank: Bank, order: Order) -> None:
    """Check that everything agrees: the order, the bank, the stock, the cart."""
    paid = order.status == "paid"
    assert bank.captures == ({order.id: 1} if paid else {})
    assert (await product(session)).stock == (STOCK - 2 if paid else STOCK)
    cart = await session.shop.cart()
    assert (len(cart.lines), cart.checkout) == (0 if paid else 1, None)


def test_money_is_put_aside_and_then_taken(sell: Sell) -> None:
    bank = Bank()

    async def story(hub: Hubbub, ann: Session) -> None:
        order = await ann.shop.checkout(payment="good", key="1")

        assert (order.status, order.payment_id) == ("paid", f"bank_{order.id}")
        assert bank.asked == ["authorize", "capture"]
        await check(ann, bank, order)

    sell(story, payments=bank)


def test_what_is_declined_says_why(sell: Sell) -> None:
    bank = Bank()

    async def story(hub: Hubbub, ann: Session) -> None:
        with pytest.raises(PaymentDeclined, match="The bank says no"):
            await ann.shop.checkout(payment="bad", key="1")
        await check(ann, bank, (await ann.shop.orders())[0])

    sell(story, payments=bank)


@pytest.mark.parametrize("trouble", ["lost", "answer lost", "raises", "answer raises", "late"])
@pytest.mark.parametrize("method", ["authorize", "capture", "look_up"])
@pytest.mark.parametrize("card", ["good", "bad"])
def test_whatever_goes_wrong_an_order_ends_once(
    sell: Sell, method: str, trouble: Trouble, card: str
) -> None:
    troubles: dict[str, list[Trouble | None]] = {"authorize": ["answer raises"]}
    troubles[method] = [trouble, trouble]
    bank = Bank(**troubles)

    async def story(hub: Hubbub, ann: Session) -> None:
        try:
            order = await ann.shop.checkout(payment=card, key="1")
        except PaymentDeclined:
            order = (await ann.shop.orders())[0]

        await check(ann, bank, await ended(ann))
        if card == "bad":
            assert (await ended(ann)).status == "declined"
        assert order.status in ("paid", "declined", "pending")

    sell(story, payments=bank)


def test_what_never_got_there_is_not_charged(sell: Sell) -> None:
    bank = Bank(authorize=["lost"])

    async def story(hub: Hubbub, ann: Session) -> None:
        with pytest.raises(PaymentDeclined) as caught:
            await ann.shop.checkout(payment="good", key="1")

        assert caught.value.message == INTERRUPTED
        await check(ann, bank, (await ann.shop.orders())[0])

    sell(story, payments=bank)


def test_a_payment_has_payment_seconds_max(sell: Sell) -> None:
    bank = Bank(authorize=["lost"])

    async def story(hub: Hubbub, ann: Session) -> None:
        start = anyio.current_time()
        with pytest.raises(PaymentDeclined):
            await ann.shop.checkout(payment="good", key="1")

        assert anyio.current_time() - start == pytest.approx(4 + RETRY_SECONDS_MIN, abs=0.1)

    sell(story, payments=bank, settings=Settings(payment_seconds_max=4))


def test_a_caller_waits_checkout_seconds_max(sell: Sell) -> None:
    bank = Bank()
    bank.down = True

    async def story(hub: Hubbub, ann: Session) -> None:
        start = anyio.current_time()
        order = await ann.shop.checkout(payment="good", key="1")
        waited = anyio.current_time() - start
        bank.down = False
        await anyio.sleep(RETRY_SECONDS_MAX)

        assert order.status == "pending"
        assert waited == pytest.approx(7, abs=0.1)
        assert (await ended(ann)).status == "declined"

    sell(story, payments=bank, settings=Settings(checkout_seconds_max=7))


def test_a_bank_that_is_down_is_asked_less_and_less(sell: Sell) -> None:
    bank = Bank(capture=["answer raises"])
    hour = 3600.0

    async def story(hub: Hubbub, ann: Session) -> None:
        def go_down(method: str) -> None:
            bank.down = method == "capture"

        bank.on_heard = go_down
        await ann.shop.checkout(payment="good", key="1")
        await anyio.sleep(hour)
        count = len(bank.asked)
        bank.down = False
        await anyio.sleep(2 * RETRY_SECONDS_MAX)

        assert hour / RETRY_SECONDS_MAX <= count < hour / RETRY_SECONDS_MAX + 15
        order = await ended(ann)
        assert order.status == "paid"
        await check(ann, bank, order)

    sell(story, payments=bank)


def test_what_the_bank_does_not_know_yet_is_waited_for(sell: Sell) -> None:
    bank = Bank()

    async def story(hub: Hubbub, ann: Session) -> None:
        order = await ann.shop.checkout(payment="slow", key="1")
        assert (order.status, (await product(ann)).stock) == ("pending", STOCK - 2)
        bank.approve()
        hub.runtime(Storefront).processor.look_at(order.id)
        done = await ended(ann)

        assert done.status == "paid"
        await check(ann, bank, done)

    sell(story, payments=bank)


def test_what_was_put_aside_is_put_back_when_its_time_is_up(sell: Sell) -> None:
    bank = Bank()

    async def story(hub: Hubbub, ann: Session) -> None:
        await ann.shop.checkout(payment="slow", key="1")
        await anyio.sleep(840)
        before = (await product(ann)).stock
        await anyio.sleep(150)
        done = await ended(ann)

        assert (before, done.status) == (STOCK - 2, "declined")
        assert list(bank.statuses.values()) == ["cancelled"]
        await check(ann, bank, done)

    sell(story, payments=bank, settings=Settings(reservation_seconds=900))


def test_who_goes_away_has_bought_all_the_same(sell: Sell) -> None:
    bank = Bank(capture=["late"])

    async def story(hub: Hubbub, ann: Session) -> None:
        with anyio.move_on_after(1):
            await ann.shop.checkout(payment="good", key="1")
        done = await ended(ann)

        assert done.status == "paid"
        await check(ann, bank, done)

    sell(story, payments=bank)


def test_who_comes_back_with_the_key_waits_for_the_same_payment(sell: Sell) -> None:
    bank = Bank(capture=["late"])

    async def story(hub: Hubbub, ann: Session) -> None:
        with anyio.move_on_after(1):
            await ann.shop.checkout(payment="good", key="1")
        order = await ann.shop.checkout(payment="good", key="1")

        assert order.status == "paid"
        assert bank.asked == ["authorize", "capture"]

    sell(story, payments=bank)


@pytest.mark.parametrize(
    ("method", "trouble", "status"),
    [
        ("authorize", "lost", "declined"),
        ("authorize", "answer lost", "paid"),
        ("capture", "lost", "paid"),
        ("capture", "answer lost", "paid"),
    ],
)
def test_a_hub_that_is_opened_again_finishes_what_was_open(
    sell: Sell, tmp_path: Path, method: str, trouble: Trouble, status: str
) -> None:
    troubles: list[Trouble | None] = [trouble]
    bank = Bank(**{method: troubles})

    async def story(hub: Hubbub, ann: Session) -> None:
        with anyio.move_on_after(1):
            await ann.shop.checkout(payment="good", key="1")
        assert (await ann.shop.orders())[0].status == "pending"

    async def later(hub: Hubbub, ann: Session) -> None:
        done = await ended(ann)

        assert done.status == status
        await check(ann, bank, done)
        if status == "paid":
            assert await ann.shop.checkout(payment="good", key="1") == done

    sell(story, later=later, url=str(tmp_path / "hub.db"), payments=bank, settings=AT_ONCE)


def test_to_leave_a_hub_waits_for_what_is_being_paid(sell: Sell, tmp_path: Path) -> None:
    bank = Bank(capture=["late"])

    async def story(hub: Hubbub, ann: Session) -> None:
        with anyio.move_on_after(1):
            await ann.shop.checkout(payment="good", key="1")

    async def later(hub: Hubbub, ann: Session) -> None:
        assert bank.asked == ["authorize", "capture"]
        assert (await ann.shop.orders())[0].status == "paid"

    sell(story, later=later, url=str(tmp_path / "hub.db"), payments=bank)


def test_an_order_that_is_not_there_is_not_looked_at(sell: Sell, caplog: Any) -> None:
    async def story(hub: Hubbub, ann: Session) -> None:
        hub.runtime(Storefront).processor.look_at("nothing")
        await anyio.sleep(1)

        assert "order/nothing is not looked at" in caplog.text

    sell(story, payments=Bank())


def test_an_order_that_has_ended_is_left_alone(sell: Sell) -> None:
    bank = Bank()

    async def story(hub: Hubbub, ann: Session) -> None:
        order = await ann.shop.checkout(payment="good", key="1")
        hub.runtime(Storefront).processor.look_at(order.id)
        await anyio.sleep(1)

        assert bank.asked == ["authorize", "capture"]

    sell(story, payments=bank)


def test_a_user_begins_so_many_checkouts(sell: Sell) -> None:
    bank = Bank()

    async def story(hub: Hubbub, ann: Session) -> None:
        for key in ("1", "2"):
            with pytest.raises(PaymentDeclined):
                await ann.shop.checkout(payment="bad", key=key)
        with pytest.raises(RateLimited) as refused:
            await ann.shop.checkout(payment="good", key="3")
        with pytest.raises(PaymentDeclined):
            await ann.shop.checkout(payment="bad", key="2")
        await anyio.sleep(refused.value.retry_after or 0)
        order = await ann.shop.checkout(payment="good", key="3")

        assert order.status == "paid"

    sell(story, payments=bank, settings=Settings(checkout_limit=2, checkout_period=60.0))


def test_invoices_have_threads_of_their_own(sell: Sell) -> None:
    async def story(hub: Hubbub, ann: Session) -> None:
        threads = hub.runtime(Storefront).processor.invoice_threads
        assert threads.total_tokens == INVOICES_AT_ONCE_MAX
        order = await ann.shop.checkout(payment="good", key="1")
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(ann.shop.invoice, order.id)
            await anyio.lowlevel.checkpoint()

    sell(story, payments=Bank())


def test_what_goes_wrong_with_an_order_is_logged_once(sell: Sell, caplog: Any) -> None:
    bank = Bank(authorize=["raises"], look_up=["raises"] * 3)

    async def story(hub: Hubbub, ann: Session) -> None:
        with pytest.raises(PaymentDeclined):
            await ann.shop.checkout(payment="good", key="1")

        warned = [record for record in caplog.records if record.levelname == "WARNING"]
        assert len([one for one in warned if "cannot be finished yet" in one.getMessage()]) == 1

    sell(story, payments=bank)


def test_a_provider_that_does_not_answer_is_logged_in_words(sell: Sell, caplog: Any) -> None:
    async def story(hub: Hubbub, ann: Session) -> None:
        with pytest.raises(PaymentDeclined):
            await ann.shop.checkout(payment="good", key="1")

        [warned] = [one for one in caplog.records if "cannot be finished yet" in one.getMessage()]
        assert "the payment provider has not answered for" in warned.getMessage()
        assert not warned.exc_info

    sell(story, payments=Bank(authorize=["lost"]))
