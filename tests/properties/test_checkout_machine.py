"""
Checkout against a bank with troubles: whatever fails, and wherever the process stops.

The hub is on SQLite, and is stopped at once and opened again, also in the middle of any
call to the bank, whose books outlive it.
"""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

import anyio
import pytest
from anyio.from_thread import start_blocking_portal
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

import hubbub
from hubbub import Cart, Hubbub, Money, Order, Session, Settings
from hubbub.errors import HubbubError
from hubbub.shop import till
from tests.journal.tally import SetClock
from tests.shop.bank import Bank, Trouble

Backend = Literal["asyncio", "trio"]
Do = Callable[[Session], Awaitable[Any]]

# A hypothesis test of this kind takes this many times as long as another.
DEARER = 3
STOCK = 20
USERS = ("ann", "bob")
SECONDS_MAX = 10.0
# The bank is asked again at once: what is tested is what happens then, not when.
SOON = 0.001

users = st.sampled_from(USERS)
keys = st.sampled_from(["key 1", "key 2", "key 3"])
cards = st.sampled_from(["good", "good", "bad", "slow"])
troubles: st.SearchStrategy[Trouble | None] = st.none() | st.sampled_from(get_args(Trouble))
methods = st.sampled_from(["capture", "authorize", "cancel", "look_up"])


class CheckoutMachine(RuleBasedStateMachine):
    """
    Buys, fails, stops and begins again.

    Args:
        backend: the event loop of the hub.
    """

    def __init__(self, backend: Backend) -> None:
        super().__init__()
        self.clock, self.bank, self.brought = SetClock(), Bank(), STOCK
        self.stack = ExitStack()
        self.portal = self.stack.enter_context(start_blocking_portal(backend))
        directory = self.stack.enter_context(tempfile.TemporaryDirectory())
        self.path = str(Path(directory) / "hubbub.db")
        self.open_until = ExitStack()
        self.stack.push(self.open_until)
        self.open()

    def open(self) -> None:
        limits = Settings(
            clock=self.clock,
            # The hub is left as if the process had died.
            drain_seconds_max=SOON,
            payment_seconds_max=0.02,
            checkout_seconds_max=0.02,
            states_max=4,
        )
        opened = hubbub.open(self.path, settings=limits, payments=self.bank)
        self.hub = self.open_until.enter_context(self.portal.wrap_async_context_manager(opened))

    def teardown(self) -> None:
        try:
            self.bank.down = False
            self.bank.troubles.clear()
            self.bank.approve()
            self.stop()
            self.portal.call(self.until_all_have_ended)
            self.check(at_the_end=True)
        finally:
            self.stack.close()

    # What is done

    @initialize()
    def begin(self) -> None:
        self.set_stock(STOCK)

    @rule(user=users, quantity=st.integers(1, 4))
    def add(self, user: str, quantity: int) -> None:
        self.do(user, lambda session: session.shop.add_item("pen", quantity))

    @rule(user=users)
    def take_out(self, user: str) -> None:
        self.do(user, lambda session: session.shop.remove_item("pen", 1))

    @rule(user=users, card=cards, key=keys, method=methods, trouble=troubles, stop=st.booleans())
    def buy(
        self, user: str, card: str, key: str, method: str, trouble: Trouble | None, stop: bool
    ) -> None:
        self.do(user, lambda session: session.shop.set_quantity("pen", 2))
        self.bank.troubles[method] = deque([trouble])
        self.do(user, lambda session: session.shop.checkout(payment=card, key=f"{user} {key}"))
        if stop:
            self.stop()

    @rule(trouble=troubles, part=st.booleans(), key=keys, stop=st.booleans())
    def give_back(self, trouble: Trouble | None, part: bool, key: str, stop: bool) -> None:
        paid = [order for order in self.orders() if order.status == "paid"]
        if not paid:
            return
        self.bank.troubles["refund"] = deque([trouble])
        order, amount = paid[0], Money(100, "USD") if part else None
        self.do(
            "root", lambda session: session.shop.refund(order.id, key=key, amount=amount), "admin"
        )
        if stop:
            self.stop()

    @rule()
    def stop(self) -> None:
        self.open_until.close()
        self.open()

    @rule(down=st.booleans())
    def go_down(self, down: bool) -> None:
        self.bank.down = down

    @rule()
    def approve(self) -> None:
        self.bank.approve()
        for order in self.orders():
            self.portal.call(self.hub.shopfront.till.look_at, order.id)

    @rule()
    def wait(self) -> None:
        self.clock.time += timedelta(hours=1)

    @rule(more=st.integers(0, 3))
    def restock(self, more: int) -> None:
        pen = self.do("root", lambda session: session.shop.product("pen"))
        self.set_stock(pen.stock + more)
        self.brought += more

    # What must be true

    @invariant()
    def nothing_is_charged_twice_or_lost(self) -> None:
        self.check()

    def check(self, *, at_the_end: bool = False) -> None:
        orders, stock, carts = self.everything()
        bank = self.bank
        for order in orders:
            captures = bank.captures[order.id]
            assert captures <= 1
            if order.status != "pending":
                assert captures == (0 if order.status == "declined" else 1)
            done = {one.id for one in order.refunds if one.status == "done"}
            given = {refund for refund, (paid, _) in bank.refunds.items() if paid == order.id}
            assert done <= given <= {one.id for one in order.refunds}
            assert order.refunded <= order.total
            if at_the_end:
                assert order.status != "pending"
                assert done == given
        held = sum(
            line.quantity for order in orders if order.status != "declined" for line in order.lines
        )
        assert stock >= 0
        assert stock + held == self.brought
        assert bank.captures.keys() <= {order.id for order in orders}
        for user, cart in carts.items():
            pending = {one.id for one in orders if (one.user, one.status) == (user, "pending")}
            assert pending == ({cart.checkout} if cart.checkout else set())

    # How it is done

    def everything(self) -> tuple[list[Order], int, dict[str, Cart]]:
        """Read all at one moment: while it is read an order may come to its end."""
        while True:
            orders = self.orders()
            stock = self.do("root", lambda session: session.shop.product("pen")).stock
            carts = {user: self.do(user, lambda session: session.shop.cart()) for user in USERS}
            if orders == self.orders():
                return orders, stock, carts

    def orders(self) -> list[Order]:
        return [
            order
            for user in USERS
            for order in self.do(user, lambda session: session.shop.orders())
        ]

    def set_stock(self, stock: int) -> None:
        price = Money("5.00", "USD")
        self.do(
            "root",
            lambda session: session.shop.set_product("pen", "Pen", price, stock=stock),
            "admin",
        )

    def do(self, user: str, do: Do, role: str = "user") -> Any:
        return self.portal.call(attempt, self.hub, user, do, role)

    async def until_all_have_ended(self) -> None:
        with anyio.fail_after(SECONDS_MAX):
            for user in USERS:
                async with self.hub.session(user) as session:
                    while any(is_open(order) for order in await session.shop.orders()):  # noqa: ASYNC110
                        await anyio.sleep(SOON)


def is_open(order: Order) -> bool:
    return order.status == "pending" or any(one.status == "pending" for one in order.refunds)


async def attempt(hub: Hubbub, user: str, do: Do, role: str) -> Any:
    """Do something in a session; a refusal is an answer as well."""
    try:
        async with hub.session(user, role=role) as session:
            return await do(session)
    except HubbubError as error:
        return error


@pytest.mark.hypothesis
@pytest.mark.timeout(120)
def test_an_order_is_charged_once_or_not_at_all(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend: Backend = "asyncio" if request.config.pluginmanager.hasplugin("asyncio") else "trio"
    monkeypatch.setattr(till, "RETRY_SECONDS_MIN", SOON)
    monkeypatch.setattr(till, "RETRY_SECONDS_MAX", SOON)
    usual = settings.default
    assert usual is not None
    fewer = settings(max_examples=max(1, usual.max_examples // DEARER), stateful_step_count=15)

    run_state_machine_as_test(partial(CheckoutMachine, backend), settings=fewer)  # type: ignore[arg-type]
