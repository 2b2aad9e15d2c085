"""Serves a shop whose product's name is markup; the address is printed."""

from __future__ import annotations

import sys

import hubbub
from hubbub import Money
from hubbub.server.run import run


async def put_on_sale(hub: hubbub.Hubbub) -> None:
    """Put two products on sale: one that is no markup, and one that is sold out."""
    async with hub.session("demo", role="admin") as admin:
        name = "<img src=x onerror='window.broken=1'>"
        await admin.shop.set_product("markup", name, Money("5.00", "USD"), stock=3)
        await admin.shop.set_product("gone", "Gone", Money("1.00", "USD"), stock=0)


def announce(address: str) -> None:
    """Tell where it is."""
    sys.stdout.write(f"{address}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    run("memory://", port=0, on_ready=announce, prepare=put_on_sale)
