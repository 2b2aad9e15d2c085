"""A process that is killed at one point of a payment, and what the next one makes of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import anyio
import pytest
from anyio import to_thread

import hubbub
from hubbub import Hubbub, Order, PaymentDeclined, Session
from hubbub.journal.command import Command, nothing
from hubbub.journal.decide.states import States
from hubbub.journal.schedule import HUB
from hubbub.local_servers.server_process import free_port
from hubbub.shop.payments.sandbox import SandboxState
from tests.cli.program import program
from tests.faults.doomed_shop import STOCK

SECONDS_MAX = 15.0

# The card, the sandbox's method, the point; and what becomes of the order.
POINTS = [
    ("pm_card_visa", "authorize", "called", "declined"),
    ("pm_card_visa", "authorize", "done", "declined"),
    ("pm_card_visa", "capture", "called", "declined"),
    ("pm_card_visa", "capture", "done", "paid"),
    ("pm_card_late", "capture", "unanswered", "paid"),
]


def buy_and_die(path: Path, *args: str) -> list[str]:
    """Run a buyer until it has killed itself; return its output."""
    script = str(Path(__file__).with_name("doomed_buyer.py"))
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, script, str(path), *args],
        env=env,
        stdout=subprocess.PIPE,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    return done.stdout.decode().split()


@pytest.mark.parametrize(("card", "method", "point", "status"), POINTS)
async def test_an_order_is_paid_if_and_only_if_it_was_charged(
    tmp_path: Path, backend: str, card: str, method: str, point: str, status: str
) -> None:
    path = tmp_path / "hubbub.db"
    told = await to_thread.run_sync(buy_and_die, path, backend, card, method, point)
    async with hubbub.open(str(path)) as hub, hub.session("ann") as ann:
        order = await ended(ann)
        taken, again = await sandbox_of(hub, order), await buy(ann, card)
        cart, product = await ann.shop.cart(), await ann.shop.product("pen")
        orders = await ann.shop.orders()

    paid = status == "paid"
    assert (told, order.status, orders) == ([], status, [order])
    # An authorization that arrives late finds the payment closed.
    assert (taken.amount, taken.cancelled) == (order.total if paid else None, not paid)
    # The key that was never answered is answered now.
    assert again == (order if paid else order.reason)
    assert product.stock == (STOCK - 2 if paid else STOCK)
    assert (len(cart.lines), cart.checkout) == (0 if paid else 1, None)


@pytest.mark.parametrize("point", ["called", "done"])
async def test_what_is_given_back_is_given_back_once(
    tmp_path: Path, backend: str, point: str
) -> None:
    path = tmp_path / "hubbub.db"
    told = await to_thread.run_sync(buy_and_die, path, backend, "pm_card_visa", "refund", point)
    async with hubbub.open(str(path)) as hub:
        async with hub.session("ann") as ann:
            order = await ended(ann)
        async with hub.session("root", role="admin") as root:
            again = await root.shop.refund(order.id, key="refund")
        taken = await sandbox_of(hub, order)

    assert told == ["paid"]
    assert (again.status, again.refunded) == ("refunded", order.total)
    assert taken.refunds == {again.refunds[0].id: order.total}


@pytest.mark.timeout(60)
async def test_a_client_that_waits_for_its_payment_outlives_the_server(
    tmp_path: Path, backend: str
) -> None:
    options = ["--demo", "--port", free_port(), "--backend", backend]
    with program(tmp_path, "serve", *options) as first, ExitStack() as later:
        address = (await to_thread.run_sync(first.line_with, "Hubbub serves")).split()[2]
        async with (
            hubbub.connect(address, nickname="Ann") as ann,
            hubbub.connect(address, token=ann.token) as beside,
        ):
            await ann.shop.add_item("mouse", 1)
            answers: list[Order] = []
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(buy_late, ann, answers)
                pending = await placed(beside)
                for _ in range(3):
                    # What is written now is written after what the sandbox has taken.
                    await beside.shop.add_item("keyboard", 1)
                await to_thread.run_sync(first.stop, signal.SIGKILL)
                second = later.enter_context(program(tmp_path, "serve", *options))
                await to_thread.run_sync(second.line_with, "Hubbub serves")
            again = await ann.shop.checkout(payment="pm_card_late", key="1")
            orders = await beside.shop.orders()

    assert (answers[0].id, answers[0].status) == (pending.id, "paid")
    assert answers == [again] == orders


async def buy_late(session: Session, answers: list[Order]) -> None:
    answers.append(await session.shop.checkout(payment="pm_card_late", key="1"))


async def placed(session: Session) -> Order:
    """Wait until the only order is there."""
    with anyio.fail_after(SECONDS_MAX):
        while not (orders := await session.shop.orders()):  # noqa: ASYNC110
            await anyio.sleep(0.01)
    return orders[0]


async def ended(session: Session) -> Order:
    """Wait until nothing of the only order is left to do."""
    with anyio.fail_after(SECONDS_MAX):
        while (order := await placed(session)).is_open:  # noqa: ASYNC110
            await anyio.sleep(0.01)
    return order


async def buy(session: Session, card: str) -> Order | str | None:
    """Use the key again that was never answered."""
    try:
        return await session.shop.checkout(payment=card, key="buy")
    except PaymentDeclined as error:
        return error.message


async def sandbox_of(hub: Hubbub, order: Order) -> SandboxState:
    """Return what the sandbox has written down of an order."""
    stream = f"sandbox/{order.id}"

    def result(states: States, events: object) -> SandboxState:
        return states.of(SandboxState, stream)

    return await hub.journal.execute(Command(HUB, nothing, result, reads=(stream,)))
