"""
A hub that kills itself at one point of a payment or a refund.

Run as ``python doomed_buyer.py PATH BACKEND CARD METHOD POINT``: the process ends when the
sandbox's method is called, when it has done its work, or while it does not answer yet.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, Literal

import anyio

import hubbub
from hubbub.shop.payments.sandbox import Sandbox
from tests.faults.doomed import announce
from tests.faults.doomed_shop import PRICE, STOCK

Method = Callable[..., Coroutine[Any, Any, Any]]
Point = Literal["called", "done", "unanswered"]


async def run(path: str, card: str) -> None:
    """Buy, and refund, until the process dies."""
    async with (
        hubbub.open(path) as hub,
        hub.session("root", role="admin") as root,
        hub.session("ann") as ann,
    ):
        await root.shop.set_product("pen", "Pen", PRICE, stock=STOCK)
        await ann.shop.add_item("pen", 2)
        order = await ann.shop.checkout(payment=card, key="buy")
        announce(order.status)
        await root.shop.refund(order.id, key="refund")


def deadly(method: Method, point: str) -> Method:
    """Make a method of the sandbox that its process does not survive."""

    async def called(sandbox: Sandbox, key: str, *args: Any) -> None:
        if point == "called":
            die()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(method, sandbox, key, *args)
            while point == "unanswered":
                if (await sandbox.look_up(key, PRICE)).status == "captured":
                    die()
        die()

    return called


def die() -> None:
    """End this process at once: nothing of it runs any more."""
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    _, path_, backend, card_, method_, point_ = sys.argv
    setattr(Sandbox, method_, deadly(getattr(Sandbox, method_), point_))
    name: Literal["asyncio", "trio"] = "trio" if backend == "trio" else "asyncio"
    anyio.run(run, path_, card_, backend=name)
