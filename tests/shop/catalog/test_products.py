"""Products over HTTP: what is left out is kept, and null is a value."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from hubbub import KEEP, Money
from hubbub.server import Gateway, create_app
from hubbub.shop.catalog.product import Product
from hubbub.shop.service import Shop
from tests.server.api import Api, api, http_of

PRICE = {"amount": 500, "currency": "USD"}
PEN: dict[str, Any] = {"sku": "pen", "name": "Pen", "price": PRICE}


@asynccontextmanager
async def selling() -> AsyncIterator[tuple[Api, dict[str, str]]]:
    """Open a hub with ten pens; gives an admin's headers."""
    async with api() as (hub, _), hub.session("root", role="admin") as root:
        await root.shop.set_product("pen", "Pen", Money(500, "USD"), stock=10, category="office")
        gateway = Gateway(hub)
        async with http_of(create_app(hub, gateway=gateway)) as http:
            yield (
                Api(hub, http),
                {"Authorization": f"Bearer {gateway.tokens.sign('root', 'admin')}"},
            )


@pytest.mark.parametrize(
    ("given", "stock", "category"),
    [
        ({}, 10, "office"),
        ({"stock": None}, None, "office"),
        ({"stock": 3, "category": None}, 3, None),
    ],
)
async def test_over_http_what_is_left_out_is_kept(
    given: dict[str, Any], stock: int | None, category: str | None
) -> None:
    async with selling() as ((_, http), headers):
        answer = await http.post("/api/shop/set_product", json=PEN | given, headers=headers)

    assert answer.status_code == 200
    assert (answer.json()["stock"], answer.json()["category"]) == (stock, category)


async def test_over_http_a_key_adjusts_a_stock_once() -> None:
    async with selling() as ((_, http), headers):
        body = {"sku": "pen", "by": -4}
        keyed = headers | {"Idempotency-Key": "k"}
        answers = [
            await http.post("/api/shop/adjust_stock", json=body, headers=keyed) for _ in range(2)
        ]
        refused = await http.post("/api/shop/adjust_stock", json=body, headers=headers)

    assert [answer.json()["stock"] for answer in answers] == [6, 6]
    assert refused.status_code == 422


async def test_the_description_does_not_ask_for_a_stock() -> None:
    async with selling() as ((_, http), _):
        schemas = (await http.get("/openapi.json")).json()["components"]["schemas"]

    schema = schemas["ShopSetProduct"]
    assert schema["required"] == ["sku", "name", "price"]
    assert {one["type"] for one in schema["properties"]["stock"]["anyOf"]} == {"integer", "null"}


async def test_keep_is_the_default_in_the_process() -> None:
    async with selling() as ((hub, _), _), hub.session("boss", role="admin") as boss:
        assert isinstance(boss.shop, Shop)
        kept = await boss.shop.set_product("pen", "Pen", Money(5, "USD"), stock=KEEP)

    assert kept == Product("pen", "product/pen", "Pen", Money(5, "USD"), 10, "office")
