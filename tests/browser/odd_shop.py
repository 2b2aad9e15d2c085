"""Serves a shop of many products, one with markup in its name; it prints the address."""

from __future__ import annotations

import sys

import hubbub
from hubbub import Money
from hubbub.server.run import run

MANY = 70


async def put_on_sale(hub: hubbub.Hubbub) -> None:
    """Put one on sale that is no markup, one that is sold out, and many others."""
    async with hub.session("demo", role="admin") as admin:
        name = "<img src=x onerror='window.broken=1'>"
        await admin.shop.set_product("markup", name, Money("5.00", "USD"), stock=3)
        await admin.shop.set_product("gone", "Gone", Money("1.00", "USD"), stock=0)
        for number in range(MANY):
            price = Money("2.00", "USD")
            await admin.shop.set_product(f"nail-{number:03}", f"Nail {number}", price)


def announce(address: str) -> None:
    """Tell where it is."""
    sys.stdout.write(f"{address}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    run("memory://", port=0, on_ready=announce, prepare=put_on_sale)
