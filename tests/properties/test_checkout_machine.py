"""
Checkout against a bank with troubles: whatever fails, and wherever the process dies.

The hub is on SQLite. It is stopped and opened again, and dies in the middle of any call
to the bank: then what was in its file at that moment is opened. The bank's books outlive it.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, closing
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
from hubbub import Hubbub, Money, Order, PaymentDeclined, Session, Settings
from hubbub.errors import HubbubError
from hubbub.shop.payments import processor
from tests.journal.tally import SetClock
from tests.properties.bank import FarBank, Fault, How, Method
from tests.properties.shop_books import held, orders_of, read_books, until_all_have_ended

Backend = Literal["asyncio", "trio"]
Do = Callable[[Session], Awaitable[Any]]

# A hypothesis test of this kind takes this many times as long as another.
DEARER = 3
STOCK = 20
USERS = ("ann", "bob")
SKUS = ("pen", "ink")
# The bank is asked again at once: what is tested is what happens then, not when.
SOON = 0.001

BUYING = ("authorize", "capture")
WAITING = ("cancel", "look_up")
# With which card a method comes to be called.
CARD_FOR = {method: "slow" if method in WAITING else "good" for method in get_args(Method)}

users = st.sampled_from(USERS)
skus = st.sampled_from(SKUS)
keys = st.none() | st.sampled_from(["key 1", "key 2"])
cards = st.sampled_from(["good", "good", "bad", "slow"])


def faults(*methods: Method) -> st.SearchStrategy[list[Fault]]:
    """Choose what goes wrong with the next calls of these methods."""
    of_them, hows = st.sampled_from(methods), st.sampled_from(get_args(How))
    some = st.lists(st.builds(Fault, of_them, hows, st.booleans()), min_size=1, max_size=2)
    return st.just([]) | some | some


class CheckoutMachine(RuleBasedStateMachine):
    """
    Buys, fails, dies and begins again.

    Args:
        backend: the event loop of the hub.
    """

    def __init__(self, backend: Backend) -> None:
        super().__init__()
        self.clock, self.bank = SetClock(), FarBank(self.leave)
        # What a buyer was told: of a user, a key and a card, the order.
        self.told = dict[tuple[str, str, str], str]()
        self.stack = ExitStack()
        self.portal = self.stack.enter_context(start_blocking_portal(backend))
        self.directory = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.lives = 0
        self.open_until = ExitStack()
        self.stack.push(self.open_until)
        self.open()

    @property
    def path(self) -> Path:
        return self.directory / f"{self.lives}.db"

    def open(self) -> None:
        limits = Settings(
            clock=self.clock,
            # The hub is left as if the process had died.
            drain_seconds_max=SOON,
            payment_seconds_max=0.02,
            checkout_seconds_max=0.02,
            states_max=4,
        )
        opened = hubbub.open(str(self.path), settings=limits, payments=self.bank)
        self.hub = self.open_until.enter_context(self.portal.wrap_async_context_manager(opened))

    def leave(self) -> None:
        """Keep what is in the file now, as if the process did nothing after this."""
        following = self.directory / f"{self.lives + 1}.db"
        with closing(sqlite3.connect(self.path)) as old, closing(sqlite3.connect(following)) as new:
            old.backup(new)

    def teardown(self) -> None:
        try:
            self.stop()
            self.settle()
            # What was under way all the time changes nothing that is at its end.
            self.portal.call(self.bank.deliver)
            self.check(at_the_end=True)
        finally:
            self.stack.close()

    def settle(self) -> None:
        """Let everything come to its end."""
        self.bank.recover()
        self.portal.call(self.bank.approve)
        self.portal.call(until_all_have_ended, self.hub, USERS)
        self.check(at_the_end=True)

    # What is done

    @initialize()
    def begin(self) -> None:
        for sku in SKUS:
            self.set_product(sku, 500, STOCK)

    @rule(user=users, sku=skus, more=st.sampled_from([1, 4, -1]))
    def fill(self, user: str, sku: str, more: int) -> None:
        if more > 0:
            self.do(user, lambda session: session.shop.add_item(sku, more))
        else:
            self.do(user, lambda session: session.shop.remove_item(sku, -more))

    @rule(user=users)
    def buy_without_troubles(self, user: str) -> None:
        self.bank.recover()
        self.buy(user, "good", None, [])

    @rule(user=users, card=cards, key=keys, wrong=faults("capture", "authorize", "look_up"))
    def buy(self, user: str, card: str, key: str | None, wrong: list[Fault]) -> None:
        key = key or f"the key after {len(self.orders())}"
        self.bank.down = False
        self.do(user, lambda session: session.shop.accept_prices())
        self.do(user, lambda session: session.shop.set_quantity("pen", 2))
        self.bank.expect(wrong)
        before = self.told_before(user, key, card)
        answer = self.do(user, lambda session: session.shop.checkout(payment=card, key=key))
        if self.die():
            return
        if before is not None and before.status != "pending":
            told = PaymentDeclined if before.status == "declined" else Order
            assert isinstance(answer, told)
        if isinstance(answer, Order):
            assert before is None or before.id == answer.id
            self.told[user, key, card] = answer.id

    def told_before(self, user: str, key: str, card: str) -> Order | None:
        """Look up what was bought with this key before; with the key it is bought again."""
        order_id = self.told.get((user, key, card))
        if order_id is None:
            return None
        order = self.do(user, lambda session: session.shop.order(order_id))
        assert isinstance(order, Order)
        return order

    @rule(part=st.booleans(), key=st.sampled_from(["key 1", "key 2"]), wrong=faults("refund"))
    def give_back(self, key: str, wrong: list[Fault], *, part: bool) -> None:
        paid = [order for order in self.orders() if order.status == "paid"]
        if not paid:
            return
        self.bank.expect(wrong)
        order, amount = paid[0], Money(100, "USD") if part else None
        self.do(
            "root", lambda session: session.shop.refund(order.id, key=key, amount=amount), "admin"
        )
        self.die()

    @rule(
        how=st.sampled_from(["cancel", "settle", "seen"]),
        wrong=faults("look_up", "cancel", "capture", "refund"),
    )
    def end_by_hand(self, how: str, wrong: list[Fault]) -> None:
        pending = [order for order in self.orders() if order.status == "pending"]
        if not pending:
            return
        self.bank.expect(wrong)
        order = pending[0]
        # An admin enters what the bank shows, where it shows something.
        seen = f"bank_{order.id}" if how == "seen" and order.id in self.bank.statuses else None

        def end(session: Session) -> Awaitable[Order]:
            if how == "cancel":
                return session.shop.cancel_order(order.id, key=f"end {order.id}")
            return session.shop.settle_order(order.id, key=f"end {order.id}", payment_id=seen)

        self.do("root", end, "admin")
        self.die()

    @rule(sku=skus, by=st.sampled_from([3, -1]), key=st.sampled_from(["a", "b", "c"]))
    def adjust_stock(self, sku: str, by: int, key: str) -> None:
        self.do(
            "root",
            lambda session: session.shop.adjust_stock(sku, by, key=f"{key}{sku}{by}"),
            "admin",
        )

    @rule()
    def stop(self) -> None:
        self.open_until.close()
        if self.bank.bury():
            self.lives += 1
        self.open()

    @rule(down=st.booleans(), approves=st.booleans(), delivers=st.booleans())
    def change_the_bank(self, down: bool, approves: bool, delivers: bool) -> None:
        self.bank.down = down
        if approves:
            self.portal.call(self.bank.approve)
        if delivers:
            self.portal.call(self.bank.deliver)

    @rule(hours=st.integers(0, 1), wrong=faults("cancel", "look_up", "capture"))
    def wait(self, hours: int, wrong: list[Fault]) -> None:
        self.bank.expect(wrong)
        self.clock.time += timedelta(hours=hours)
        # The bank is asked about what is pending a few times meanwhile.
        self.portal.call(anyio.sleep, 5 * SOON)
        self.die()

    @rule(sku=skus, price=st.sampled_from([1, 499]), stock=st.sampled_from([STOCK, 1, STOCK]))
    def set_product(self, sku: str, price: int, stock: int) -> None:
        cost = Money(price, "USD")
        self.do(
            "root",
            lambda session: session.shop.set_product(sku, sku, cost, stock=stock),
            "admin",
        )

    # What must be true

    @invariant()
    def nothing_is_charged_twice_or_lost(self) -> None:
        self.check()

    def check(self, *, at_the_end: bool = False) -> None:
        books = self.portal.call(read_books, self.hub, USERS, SKUS)
        by_id = {order.id: order for order in books.orders}
        assert self.bank.captures.keys() <= by_id.keys()
        assert set(self.told.values()) <= by_id.keys()
        for order in books.orders:
            self.check_order(order, at_the_end=at_the_end)
        for sku in SKUS:
            assert books.stock[sku] >= 0
            assert books.stock[sku] + held(books.orders, sku) == books.brought[sku]
        for user, cart in books.carts.items():
            own = [order for order in books.orders if order.user == user]
            pending = {order.id for order in own if order.status == "pending"}
            assert pending == ({cart.checkout} if cart.checkout else set())

    def check_order(self, order: Order, *, at_the_end: bool) -> None:
        bank = self.bank
        given = {one: back for one, (paid, back) in dict(bank.refunds).items() if paid == order.id}
        # What was taken against an end by hand is given back, and is no refund of the order.
        void = given.pop(f"{order.id}-void", Money(0, "USD")).amount
        charged = bank.paid(order.id) - void
        if order.status == "pending" or order.reconciliation == "pending":
            assert charged in (0, order.total.amount)
        elif order.status == "declined":
            assert charged == 0
        elif order.reconciliation is None:
            assert charged == order.total.amount
        else:
            seen = order.payment_id is not None and order.reconciliation == "done"
            assert charged == (order.total.amount if seen else 0)
        done = {one.id: one.amount for one in order.refunds if one.status == "done"}
        assert done.items() <= given.items()
        assert given.keys() <= {one.id for one in order.refunds}
        assert order.refunded.amount == sum(back.amount for back in done.values())
        assert order.refunded <= order.total
        if at_the_end:
            assert order.status != "pending"
            assert done == given

    # How it is done

    def die(self) -> bool:
        """If the process had to die, and has, continue with what it has left."""
        if died := self.portal.call(self.bank.spare):
            self.stop()
        return died

    def orders(self) -> list[Order]:
        return self.portal.call(orders_of, self.hub, USERS)

    def do(self, user: str, do: Do, role: str = "user") -> Any:
        return self.portal.call(attempt, self.hub, user, do, role)


async def attempt(hub: Hubbub, user: str, do: Do, role: str) -> Any:
    """Do something in a session; a refusal is an answer as well."""
    try:
        async with hub.session(user, role=role) as session:
            return await do(session)
    except HubbubError as error:
        return error


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the hub ask the bank again at once."""
    monkeypatch.setattr(processor, "RETRY_SECONDS_MIN", SOON)
    monkeypatch.setattr(processor, "RETRY_SECONDS_MAX", SOON)


@pytest.mark.parametrize("down", [False, True])
@pytest.mark.parametrize("how", get_args(How))
def test_each_fault_is_survived(backend: Backend, how: How, *, down: bool) -> None:
    machine = CheckoutMachine(backend)
    with machine.stack:
        machine.begin()
        for method in get_args(Method):
            wrong = [Fault(method, how, down)]
            machine.set_product("pen", 500, STOCK)
            machine.buy("ann", CARD_FOR[method], None, wrong if method in BUYING else [])
            if method == "refund":
                machine.give_back("key", wrong, part=True)
            machine.wait(1, wrong if method in WAITING else [])
            machine.settle()
        machine.teardown()


@pytest.mark.hypothesis
@pytest.mark.timeout(120)
def test_an_order_is_charged_once_or_not_at_all(backend: Backend) -> None:
    usual = settings.default
    assert usual is not None
    fewer = settings(max_examples=max(1, usual.max_examples // DEARER), stateful_step_count=15)

    run_state_machine_as_test(partial(CheckoutMachine, backend), settings=fewer)  # type: ignore[arg-type]
