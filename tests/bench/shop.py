"""Figures of the shop in the process: carts, checkouts, a large catalogue."""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import hubbub
from hubbub import Money, Session, Settings
from tests.bench.floors import Watch
from tests.bench.games import rate_of
from tests.bench.table import Row

__all__ = ["carts", "catalogue", "checkouts"]

CARTS = 1_000
# Each of them buys once, from a cart that was filled before.
BUYERS = 20_000
AT_ONCE = 1_000
PAGES = 200
# Everybody who buys fits into memory, as on a server that is made for so many.
SETTINGS = Settings(cart_quantity_max=10**6, states_max=200_000)
PRICES = {"laptop": "999.99", "mouse": "29.99", "keyboard": "79.99", "monitor": "299.99"}


async def carts(backend: str, seconds: float, watch: Watch) -> list[Row]:
    """Measure items that are added to many carts at once, each waiting for the answer."""
    with tempfile.TemporaryDirectory() as folder:
        store = watch.open(f"{folder}/bench.db")
        async with hubbub.open(store=store, settings=SETTINGS) as hub, AsyncExitStack() as stack:
            await stock(hub)
            sessions = [
                await stack.enter_async_context(hub.session(f"user{number}"))
                for number in range(CARTS)
            ]

            async def add(number: int, until: float) -> int:
                count, shop = 0, sessions[number].shop
                while time.perf_counter() < until:
                    await shop.add_item(("mouse", "keyboard", "laptop")[count % 3])
                    count += 1
                return count

            rate = await rate_of(CARTS, add, seconds, watch)
    return [Row(f"add_item over {CARTS:,} carts, durable", backend, rate, "/s")]


async def checkouts(backend: str, seconds: float, watch: Watch) -> list[Row]:
    """Measure checkouts from the call to the paid order, with the sandbox."""
    with tempfile.TemporaryDirectory() as folder:
        store = watch.open(f"{folder}/bench.db")
        async with hubbub.open(store=store, settings=SETTINGS) as hub:
            await stock(hub)
            sessions: list[Session] = []

            async def fill(number: int, until: float) -> int:
                for buyer in range(number, BUYERS, AT_ONCE):
                    async with hub.session(f"user{buyer}") as session:
                        await session.shop.add_item("mouse", 2)
                        sessions.append(session)
                return 0

            async def buy(number: int, until: float) -> int:
                count = 0
                while sessions:
                    await sessions.pop().shop.checkout(payment="pm_card_visa", key="1")
                    count += 1
                return count

            await rate_of(AT_ONCE, fill, 0)
            rate = await rate_of(AT_ONCE, buy, 0, watch)
    return [Row(f"checkouts, {AT_ONCE:,} at one time, paid", backend, rate, "/s")]


async def catalogue(backend: str, products: int) -> list[Row]:
    """Measure pages of a large catalogue, none of which is in memory."""
    chance = random.Random(1)
    skus = [f"sku-{number:07}" for number in range(products)]
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/bench.db"
        async with hubbub.open(path) as hub, hub.session("root", role="admin") as root:
            to_make = iter(skus)

            async def make(number: int, until: float) -> int:
                for sku in to_make:
                    await root.shop.set_product(sku, sku, Money("9.99", "USD"), stock=5)
                return 0

            await rate_of(AT_ONCE, make, 0)
        async with hubbub.open(path) as hub, hub.session("alice") as alice:
            start = time.perf_counter()
            await alice.shop.products()
            first = time.perf_counter() - start
            took = []
            for _ in range(PAGES):
                after = chance.choice(skus)
                start = time.perf_counter()
                await alice.shop.products(after=after)
                took.append(time.perf_counter() - start)
    name, page = f"a catalogue of {products:,}", statistics.median(took) * 1000
    return [
        Row(f"{name}: a page of 50 (median)", backend, page, "ms", 10, most=True),
        Row(f"{name}: the first after a restart", backend, first * 1000, "ms", 1000, most=True),
    ]


async def stock(hub: hubbub.Hubbub) -> None:
    """Put some products into the catalogue, enough of each."""
    async with hub.session("root", role="admin") as root:
        for sku, price in PRICES.items():
            await root.shop.set_product(sku, sku, Money(price, "USD"), stock=10**8)
