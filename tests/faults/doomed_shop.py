"""
A hub that will be killed: many buy at once, and every paid order is printed.

Run as ``python doomed_shop.py PATH BACKEND BUYERS``; a line is "user key order".
"""

from __future__ import annotations

import os
import sys
from itertools import count
from typing import Literal

import anyio

import hubbub
from hubbub import Money, PaymentDeclined
from tests.faults.doomed import announce

STOCK = 1_000_000
PRICE = Money("5.00", "USD")
CARDS = ("pm_card_visa", "pm_card_visa", "pm_card_chargeDeclined", "pm_card_late")


async def run(path: str, buyers: int) -> None:
    """Buy until killed."""
    async with hubbub.open(path) as hub:
        async with hub.session("root", role="admin") as root:
            await root.shop.set_product("pen", "Pen", PRICE, stock=STOCK)
        async with anyio.create_task_group() as tasks:
            for number in range(buyers):
                tasks.start_soon(buy_for_ever, hub, number)


async def buy_for_ever(hub: hubbub.Hubbub, number: int) -> None:
    async with hub.session(f"user{number}") as session:
        for key in count():
            await session.shop.set_quantity("pen", 1 + key % 3)
            try:
                card = CARDS[(number + key) % len(CARDS)]
                order = await session.shop.checkout(payment=card, key=str(key))
            except PaymentDeclined:
                continue
            announce(session.user.id, key, order.id)


if __name__ == "__main__":
    _, path_, backend, buyers_ = sys.argv
    uvloop = os.environ.get("HUBBUB_TEST_LOOP") == "uvloop" and backend == "asyncio"
    name: Literal["asyncio", "trio"] = "trio" if backend == "trio" else "asyncio"
    options = {"use_uvloop": True} if uvloop else {}
    anyio.run(run, path_, int(buyers_), backend=name, backend_options=options)
