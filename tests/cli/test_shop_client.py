from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

import hubbub
from hubbub import Conflict, HubbubError, Invalid, NotFound, PaymentDeclined, Settings
from hubbub.cli import shop_client as c
from hubbub.cli.shop_client import QUANTITY_DIGITS_MAX, SHOP_COMMANDS, ShopClient
from hubbub.shop.catalog.demo import put_on_sale
from tests.cli.paper import Paper
from tests.shop.bank import Bank


@asynccontextmanager
async def shopping(
    payments: Bank | None = None, settings: Settings | None = None
) -> AsyncIterator[tuple[ShopClient, Paper]]:
    """Give ann a client of a shop that has the demo's products."""
    async with hubbub.open("memory://", payments=payments, settings=settings) as hub:
        async with hub.session("root", role="admin") as root:
            await put_on_sale(root.shop)
        async with hub.session("ann") as ann:
            paper = Paper()
            yield ShopClient(ann, paper.show), paper


async def test_products_are_listed() -> None:
    async with shopping() as (client, paper):
        await client.carry_out("list")

    assert [line.split()[0] for line in paper.shown] == ["keyboard", "laptop", "monitor", "mouse"]


async def test_products_are_listed_in_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(c, "PAGE", 3)
    async with shopping() as (client, paper):
        await client.carry_out("list")
        await client.carry_out("list monitor")
        await client.carry_out("list zoo")

    assert paper.shown[3:] == [
        "* Next page: list monitor",
        "mouse  Mouse  29.99 USD  100 in stock",
        "* There are no more products.",
    ]


async def test_an_empty_shop_says_so() -> None:
    async with hubbub.open("memory://") as hub, hub.session("ann") as ann:
        paper = Paper()
        await ShopClient(ann, paper.show).carry_out("list")

    assert paper.shown == ["* There are no products."]


async def test_a_cart_is_filled_and_paid() -> None:
    async with shopping() as (client, paper):
        for line in ("add laptop", "ADD mouse 3", "remove mouse", "set mouse 2", "/add keyboard"):
            await client.carry_out(line)
        total = paper.shown[-1]
        await client.carry_out("pay 4242 4242 4242 4242")
        paid = paper.shown[-1]
        await client.carry_out("cart")

    assert total.split() == ["Total", "1253.96", "USD"]
    assert paid.startswith("Paid 1253.96 USD: thank you. Your order is ")
    assert paper.shown[-1] == "The cart is empty."


async def test_a_part_is_taken_out() -> None:
    async with shopping() as (client, paper):
        await client.carry_out("add mouse 3")
        await client.carry_out("remove mouse 1")

    assert paper.shown[4].startswith("2 ×")


async def test_a_decline_says_why_and_the_cart_stays() -> None:
    async with shopping() as (client, paper):
        await client.carry_out("add laptop")
        with pytest.raises(PaymentDeclined, match="declined"):
            await client.carry_out("pay 4000 0000 0000 0002")
        await client.carry_out("cart")

    assert paper.shown[-1].split()[0] == "Total"


async def test_orders_are_found_again() -> None:
    async with shopping() as (client, paper):
        await client.carry_out("orders")
        for sku in ("mouse", "laptop"):
            await client.carry_out(f"add {sku}")
            await client.carry_out("pay pm_card_visa")
        newest = paper.shown[-1].split()[-1].rstrip(".")
        paper.shown.clear()
        for line in ("orders", "order", "order 1", f"order {newest}"):
            await client.carry_out(line)

    headings = [line for line in paper.shown if line.startswith("* Order")]
    assert len([line for line in paper.shown if line.startswith("[")]) == 2
    assert headings[0] == headings[2] == f"* Order {newest}, paid"
    assert headings[1] != headings[0]


@pytest.mark.parametrize("called", ["", "0", "1", "7"])
async def test_an_order_that_is_not_there_is_not_found(called: str) -> None:
    async with shopping() as (client, _):
        with pytest.raises(NotFound):
            await client.carry_out(f"order {called}")


async def test_a_coupon_is_used_and_taken_out() -> None:
    async with shopping() as (client, paper):
        await client.carry_out("add laptop")
        await client.carry_out("coupon welcome")
        with_it = list(paper.shown)
        await client.carry_out("coupon")

    assert any("Coupon WELCOME" in line for line in with_it)
    assert "Coupon" not in paper.shown[-3]


async def test_new_prices_are_accepted() -> None:
    async with shopping() as (client, paper):
        await client.carry_out("add laptop")
        await client.carry_out("accept")
        await client.carry_out("clear")

    assert paper.shown[-1] == "The cart is empty."


async def test_a_payment_that_is_not_through_is_told() -> None:
    async with shopping(Bank(), Settings(checkout_seconds_max=0.01, drain_seconds_max=0.01)) as (
        client,
        paper,
    ):
        await client.carry_out("add laptop")
        await client.carry_out("pay slow")

    assert paper.shown[-1].startswith("* The payment takes longer")


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("fly", Invalid),
        ("add", Invalid),
        ("add mouse two", Invalid),
        ("add mouse " + "1" * (QUANTITY_DIGITS_MAX + 1), Invalid),
        ("add mouse " + "1" * QUANTITY_DIGITS_MAX, Invalid),
        ("add boat", NotFound),
        ("set mouse", Invalid),
        ("pay", Invalid),
        ("pay pm_card_visa", Conflict),
        ("coupon spring", NotFound),
    ],
)
async def test_what_cannot_be_done_says_why(line: str, error: type[HubbubError]) -> None:
    async with shopping() as (client, _):
        with pytest.raises(error):
            await client.carry_out(line)


async def test_an_empty_line_does_nothing() -> None:
    async with shopping() as (client, paper):
        await client.carry_out("  ")

    assert paper.shown == []


async def test_help_shows_every_word() -> None:
    async with shopping() as (client, paper):
        await client.carry_out("help")
        await client.carry_out("cards")
        await client.carry_out("quit")

    assert all(any(line.startswith(f"* {name} ") for line in paper.shown) for name in SHOP_COMMANDS)
    assert any("4242 4242 4242 4242" in line for line in paper.shown)
    assert client.over
