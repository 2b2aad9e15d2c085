"""Users of a shop, and checks that see when something is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hubbub.money import Money
from hubbub.simulator.provider import FlakyProvider
from hubbub.simulator.shop_workload import QUANTITY_MAX, ShopWorkload
from tests.event_loop import Backend
from tests.simulator.recorded import doctored, recorded

Events = list[dict[str, Any]]


class Shopping:
    """A run that has ended."""

    def __init__(self, backend: Backend, seed: int, faults: float) -> None:
        self.evidence = recorded(self._make, backend, seed, faults)

    def _make(self, provider: FlakyProvider) -> ShopWorkload:
        self.provider = provider
        self.workload = ShopWorkload(provider)
        return self.workload

    def paid(self) -> str:
        """Return the id of an order that was paid, and not refunded."""
        return next(
            one.id
            for one in self.workload.books.orders.values()
            if one.status == "paid" and self.provider.accounts[one.id].captured
        )


@pytest.fixture(scope="module")
def shopping(backend: Backend) -> Shopping:
    """Buy for ten minutes in which nothing goes wrong."""
    return Shopping(backend, 1, 0)


@pytest.mark.parametrize("seed", [2, 3])
def test_no_promise_is_broken_whatever_goes_wrong(seed: int, backend: Backend) -> None:
    shopping = Shopping(backend, seed, 60.0)

    assert sum(event["type"] == "placed" for event in shopping.evidence.order) > 5


def test_orders_end_in_every_way(shopping: Shopping) -> None:
    types = {event["type"] for event in shopping.evidence.order}

    assert {"paid", "declined", "refunded", "stock_released"} <= types


def _first(events: Events, type_: str) -> dict[str, Any]:
    return next(event for event in events if event["type"] == type_)


def _sell_what_is_not_there(events: Events) -> None:
    _first(events, "stock_reserved")["quantity"] = 2_000


def _lose_stock(events: Events) -> None:
    events.remove(_first(events, "stock_reserved"))


def _lose_an_addition(events: Events) -> None:
    events.remove(_first(events, "item_added"))


def _order_something_else(events: Events) -> None:
    _first(events, "placed")["items"][0]["quantity"] += 1


def _miscalculate(events: Events) -> None:
    _first(events, "placed")["total"]["amount"] -= 1


def _lose_an_order(events: Events) -> None:
    stream = _first(events, "paid")["stream"]
    events[:] = [event for event in events if event["stream"] != stream]


def _end_twice(events: Events) -> None:
    paid = _first(events, "paid")
    events.insert(events.index(paid), dict(paid))


def _decline_what_was_charged(events: Events) -> None:
    _first(events, "paid")["type"] = "declined"


def _pay_what_was_not_charged(events: Events) -> None:
    _first(events, "declined").update(type="paid", payment_id="order")


def _place_twice(events: Events) -> None:
    for number in range(200):
        placed = _first(events, "placed")
        events.append(placed | {"stream": f"order/{number}"})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_sell_what_is_not_there, "after event"),
        (_lose_stock, "are sold or reserved"),
        (_lose_an_addition, "times added"),
        (_order_something_else, "and the cart of"),
        (_miscalculate, "and its items"),
        (_lose_an_order, "was acknowledged, and is not there"),
        (_end_twice, "has ended twice"),
        (_decline_what_was_charged, "is declined, and was charged"),
        (_pay_what_was_not_charged, "was charged, not"),
        (_place_twice, "and checked out"),
    ],
)
def test_what_is_wrong_with_an_order_is_named(
    shopping: Shopping, change: Callable[[Events], None], says: str
) -> None:
    workload, evidence = shopping.workload, shopping.evidence

    assert not list(workload.broken(evidence))
    assert any(says in line for line in workload.broken(doctored(evidence, change)))


def test_a_double_charge_is_named(shopping: Shopping) -> None:
    account = shopping.provider.accounts[shopping.paid()]
    account.captured.append(account.captured[0])
    try:
        found = list(shopping.workload.broken(shopping.evidence))
    finally:
        account.captured.pop()

    assert any("was charged 2 times" in line for line in found)


def test_a_wrong_amount_is_named(shopping: Shopping) -> None:
    account = shopping.provider.accounts[shopping.paid()]
    before = account.captured.pop()
    account.captured.append(before + Money(1, before.currency))
    try:
        found = list(shopping.workload.broken(shopping.evidence))
    finally:
        account.captured[:] = [before]

    assert any("was charged" in line for line in found)


def test_a_refund_that_nobody_began_is_named(shopping: Shopping) -> None:
    account = shopping.provider.accounts[shopping.paid()]
    account.refunds["mine"] = account.captured[0]
    try:
        found = list(shopping.workload.broken(shopping.evidence))
    finally:
        del account.refunds["mine"]

    assert any("has refunded" in line for line in found)


def test_an_order_that_is_pending_is_missing(shopping: Shopping) -> None:
    def forget(events: Events) -> None:
        events.remove(_first(events, "paid"))

    assert not list(shopping.workload.missing(shopping.evidence))
    assert list(shopping.workload.missing(doctored(shopping.evidence, forget)))


def test_users_add_a_few_pieces_at_once(shopping: Shopping) -> None:
    quantities = {quantity for _, _, quantity in shopping.workload.books.tried}

    assert quantities == set(range(1, QUANTITY_MAX + 1))
