from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import Any

import anyio
import pytest

from hubbub import (
    Hubbub,
    Invalid,
    NotFound,
    Offer,
    OutOfStock,
    Overloaded,
    PriceUnavailable,
    Session,
    Settings,
)
from hubbub.shop.catalog import price_lookup as prices
from hubbub.shop.catalog.price_lookup import ATTEMPTS, LOOKUPS_WAITING_MAX, OFFERS_MAX
from tests.shop.virtual_shop import Sell, product, usd

PEN = Offer("Pen", usd("5.00"))


class Source:
    """A price service of the application's, which takes its time and may fail."""

    def __init__(self, **offers: Any) -> None:
        self.offers = {"pen": PEN, **offers}
        self.asked = Counter[str]()
        self.at_once = self.most_at_once = 0
        self.failures = 0
        self.seconds = 0.1

    async def look_up(self, sku: str) -> Offer:
        self.asked[sku] += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await anyio.sleep(self.seconds)
        finally:
            self.at_once -= 1
        if self.failures:
            self.failures -= 1
            raise OSError("the service is down")
        if sku not in self.offers:
            raise NotFound(f"We do not sell {sku!r}.")
        offer: Offer = self.offers[sku]
        return offer


async def quantities(session: Session) -> dict[str, int]:
    return {line.sku: line.quantity for line in (await session.shop.cart()).lines}


def test_a_price_comes_from_the_application(sell: Sell) -> None:
    source = Source(boat=Offer("Boat", usd("12000"), "vehicle"))

    async def story(hub: Hubbub, ann: Session) -> None:
        cart = await ann.shop.add_item("boat")
        order = await ann.shop.checkout(payment="pm_card_visa", key="1")

        assert [(line.name, line.price) for line in cart.lines][1] == ("Boat", usd("12000"))
        assert order.subtotal == usd("12010")
        # The catalogue counts what it has of them.
        assert (await product(ann)).stock == 8

    sell(story, prices=source)


def test_the_same_product_is_asked_for_once_at_a_time(sell: Sell) -> None:
    source = Source(boat=Offer("Boat", usd("1")))

    async def story(hub: Hubbub, ann: Session) -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(ann.shop.add_item, "boat")

        assert source.asked["boat"] == 1
        assert (await quantities(ann))["boat"] == 20

    sell(story, prices=source)


def test_price_lookups_max_are_asked_for_at_one_time(sell: Sell) -> None:
    source = Source(**{f"boat{number}": Offer("Boat", usd("1")) for number in range(9)})

    async def story(hub: Hubbub, ann: Session) -> None:
        async with anyio.create_task_group() as tasks:
            for number in range(9):
                tasks.start_soon(ann.shop.add_item, f"boat{number}")

        assert source.most_at_once == 3

    sell(story, prices=source, settings=Settings(price_lookups_max=3))


def test_a_price_is_fresh_for_a_moment(sell: Sell) -> None:
    source = Source()

    async def story(hub: Hubbub, ann: Session) -> None:
        await anyio.sleep(10)
        source.asked.clear()
        await ann.shop.add_item("pen")
        await ann.shop.add_item("pen")
        at_once = source.asked["pen"]
        await anyio.sleep(5)
        await ann.shop.add_item("pen")

        assert (at_once, source.asked["pen"]) == (1, 2)

    sell(story, prices=source)


def test_a_failure_is_asked_again(sell: Sell) -> None:
    source = Source(boat=Offer("Boat", usd("1")))

    async def story(hub: Hubbub, ann: Session) -> None:
        source.failures = ATTEMPTS - 1
        await ann.shop.add_item("boat")

        assert source.asked["boat"] == ATTEMPTS

    sell(story, prices=source)


def test_a_source_that_is_down_leaves_the_cart_as_it_is(sell: Sell) -> None:
    source = Source()

    async def story(hub: Hubbub, ann: Session) -> None:
        await anyio.sleep(10)
        source.failures = 10 * ATTEMPTS
        with pytest.raises(PriceUnavailable, match="'pen'") as caught:
            await ann.shop.add_item("pen")
        source.failures = 0

        assert isinstance(caught.value, Overloaded)
        assert isinstance(caught.value.__cause__, OSError)
        assert await quantities(ann) == {"pen": 2}

    sell(story, prices=source)


def test_a_source_has_price_seconds_max(sell: Sell) -> None:
    source = Source()

    async def story(hub: Hubbub, ann: Session) -> None:
        await anyio.sleep(10)
        source.seconds = 60
        start = anyio.current_time()
        with pytest.raises(PriceUnavailable):
            await ann.shop.add_item("pen")

        assert ATTEMPTS * 2 < anyio.current_time() - start < ATTEMPTS * 2 + 3

    sell(story, prices=source, settings=Settings(price_seconds_max=2))


def test_what_is_not_sold_is_not_asked_for_again(sell: Sell) -> None:
    source = Source()

    async def story(hub: Hubbub, ann: Session) -> None:
        with pytest.raises(NotFound, match="We do not sell"):
            await ann.shop.add_item("boat")

        assert source.asked["boat"] == 1

    sell(story, prices=source)


@pytest.mark.parametrize("nonsense", [None, 5, Offer("Boat", 5.0)])  # type: ignore[arg-type]
def test_what_is_no_offer_is_a_failure(sell: Sell, nonsense: object) -> None:
    async def story(hub: Hubbub, ann: Session) -> None:
        with pytest.raises(PriceUnavailable):
            await ann.shop.add_item("boat")

    sell(story, prices=Source(boat=nonsense))


def test_who_gives_up_leaves_the_others_their_price(sell: Sell) -> None:
    source = Source(boat=Offer("Boat", usd("1")))

    async def story(hub: Hubbub, ann: Session) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(give_up, ann)
            tasks.start_soon(ann.shop.add_item, "boat")

        assert (source.asked["boat"], (await quantities(ann))["boat"]) == (1, 1)

    async def give_up(ann: Session) -> None:
        with anyio.move_on_after(0.05):
            await ann.shop.add_item("boat")

    sell(story, prices=source)


def test_what_can_be_no_sku_is_not_asked_for(sell: Sell) -> None:
    source = Source()

    async def story(hub: Hubbub, ann: Session) -> None:
        with pytest.raises(Invalid):
            await ann.shop.add_item("a b")

        assert "a b" not in source.asked

    sell(story, prices=source)


def test_the_oldest_prices_are_forgotten(sell: Sell, monkeypatch: pytest.MonkeyPatch) -> None:
    assert OFFERS_MAX > 1
    monkeypatch.setattr(prices, "OFFERS_MAX", 1)
    source = Source(boat=Offer("Boat", usd("1")))

    async def story(hub: Hubbub, ann: Session) -> None:
        cart = await ann.shop.add_item("boat")

        # Of the pen nothing is known any more: it keeps the price it was added at.
        pen = cart.lines[0]
        assert (pen.price, pen.new_price) == (usd("5.00"), None)

    sell(story, prices=source)


@pytest.mark.parametrize(("stock", "left"), [(50, 10), (5, 5), (None, 10)])
def test_of_two_stocks_the_smaller_counts(sell: Sell, stock: int | None, left: int) -> None:
    source = Source(pen=Offer("Pen", usd("5.00"), stock=stock))

    async def story(hub: Hubbub, ann: Session) -> None:
        cart = await ann.shop.set_quantity("pen", left + 1)
        with pytest.raises(OutOfStock):
            await ann.shop.checkout(payment="pm_card_visa", key="1")
        await ann.shop.set_quantity("pen", left)
        await ann.shop.checkout(payment="pm_card_visa", key="1")

        assert cart.lines[0].stock == left
        assert (await product(ann)).stock == 10 - left

    sell(story, prices=source)


def test_a_stock_that_the_catalogue_does_not_have_is_the_sources_to_count(sell: Sell) -> None:
    source = Source(boat=Offer("Boat", usd("1"), stock=1))

    async def story(hub: Hubbub, ann: Session) -> None:
        for key in ("1", "2"):
            await ann.shop.add_item("boat")
            await ann.shop.checkout(payment="pm_card_visa", key=key)

        with pytest.raises(NotFound):
            await ann.shop.product("boat")

    sell(story, prices=source)


async def put_all(session: Session, skus: list[str]) -> None:
    """Put products into a cart, all at one time."""

    async def put(sku: str) -> None:
        with suppress(NotFound):
            await session.shop.add_item(sku)

    async with anyio.create_task_group() as tasks:
        for sku in skus:
            tasks.start_soon(put, sku)


def test_a_user_has_some_of_the_places_only(sell: Sell) -> None:
    source = Source()

    async def story(hub: Hubbub, ann: Session) -> None:
        async with hub.session("eve") as eve:
            await put_all(eve, [f"no-{number}" for number in range(30)])

        assert source.most_at_once == 3

    settings = Settings(price_lookups_max=16, price_lookups_per_user_max=3)
    sell(story, prices=source, settings=settings)


def test_nobody_waits_for_all_that_somebody_else_asks(sell: Sell) -> None:
    source = Source(boat=Offer("Boat", usd("1")))
    source.seconds = 1.0

    async def story(hub: Hubbub, ann: Session) -> None:
        async with hub.session("eve") as eve, anyio.create_task_group() as tasks:
            # She waits for the boat as well, behind all the others.
            skus = [*(f"no-{number}" for number in range(90)), "boat"]
            tasks.start_soon(put_all, eve, skus)
            await anyio.sleep(0.5)
            start = anyio.current_time()
            await ann.shop.add_item("boat")
            waited = anyio.current_time() - start
            tasks.cancel_scope.cancel()

        assert waited < 1.1
        assert source.asked["boat"] == 1

    settings = Settings(price_lookups_max=3, price_lookups_per_user_max=2)
    sell(story, prices=source, settings=settings)


def test_a_user_waits_for_so_many_prices(sell: Sell, monkeypatch: pytest.MonkeyPatch) -> None:
    assert LOOKUPS_WAITING_MAX > 5
    monkeypatch.setattr(prices, "LOOKUPS_WAITING_MAX", 5)

    async def story(hub: Hubbub, ann: Session) -> None:
        async with hub.session("eve") as eve, anyio.create_task_group() as tasks:
            tasks.start_soon(put_all, eve, [f"no-{number}" for number in range(6)])
            await anyio.sleep(0.05)
            with pytest.raises(Overloaded):
                await eve.shop.add_item("no-6")

            await ann.shop.add_item("pen")

    sell(story, prices=Source(), settings=Settings(price_lookups_per_user_max=1))


@pytest.mark.parametrize(
    "offer",
    [
        "5", None, Offer("", usd("5.00")), Offer("x" * 200, usd("5.00")), Offer("Boat", usd("-1")),
        Offer("Boat", usd("5.00"), stock=-1), Offer("Boat", usd("5.00"), stock=0.5),  # type: ignore[arg-type]
        Offer("Boat", usd("5.00"), "a\nb"), Offer(5, usd("5.00")),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_what_cannot_be_sold_is_a_failure_and_is_logged(
    sell: Sell, caplog: pytest.LogCaptureFixture, offer: Any
) -> None:
    async def story(hub: Hubbub, ann: Session) -> None:
        with pytest.raises(PriceUnavailable):
            await ann.shop.add_item("boat")

        assert caplog.text.count("the price of boat cannot be looked up") == 1
        await ann.shop.add_item("pen")

    sell(story, prices=Source(boat=offer))
