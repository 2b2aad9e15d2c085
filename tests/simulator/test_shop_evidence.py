"""Orders against the books of the buyers and of the payment provider."""

from __future__ import annotations

from typing import Any

import pytest

from hubbub.money import Money
from hubbub.simulator import Evidence
from hubbub.simulator.provider import ProviderAccount
from hubbub.simulator.shop_books import Checkout, ShopBooks
from hubbub.simulator.shop_evidence import VOID, broken_shop, unfinished_orders
from hubbub.simulator.shop_fold import Goods

SONG = Goods("song", Money(100, "USD"), None)
PRICE = Money(110, "USD")


def charged(times: int, amount: Money = PRICE, back: str | None = None) -> ProviderAccount:
    refunds = {} if back is None else {back: amount}
    return ProviderAccount("captured", [amount] * times, refunds)


def evidence(*ends: dict[str, Any]) -> Evidence:
    placed = {
        "type": "placed",
        "user": "ann",
        "reserved": [],
        "items": [{"sku": "song", "quantity": 1}],
        "subtotal": {"amount": 100},
        "total": {"amount": 110},
    }
    order = [one | {"stream": "order/o1", "by": "ann"} for one in (placed, *ends)]
    added = {"type": "item_added", "sku": "song", "quantity": 1, "stream": "cart/ann", "by": "ann"}
    return Evidence({"order/o1": order, "cart/ann": [added]}, [added, *order], [])


def books() -> ShopBooks:
    known = ShopBooks()
    known.tried["ann", "song", 1] = known.added["ann", "song", 1] = 1
    known.checkouts.append(Checkout("ann", "k1", "card"))
    return known


PAID = {"type": "paid", "payment_id": "o1"}
IN_CASH = {"type": "order_marked_paid", "payment_id": None}
DECLINED = {"type": "declined", "reason": ""}
CANCELLED = {"type": "order_cancelled", "reason": ""}
ANSWERED = {"type": "order_reconciled", "problem": None}
FAILED = {"type": "order_reconciled", "problem": "no"}


def broken(account: ProviderAccount | None, *ends: dict[str, Any]) -> list[str]:
    accounts = {} if account is None else {"o1": account}
    return list(broken_shop(books(), accounts, [SONG], evidence(*ends)))


@pytest.mark.parametrize(
    ("account", "ends"),
    [
        (charged(1), [PAID]),
        (None, [DECLINED]),
        (None, [CANCELLED, ANSWERED]),
        (charged(1, back=VOID.format("o1")), [CANCELLED, ANSWERED]),
        (charged(1, back=VOID.format("o1")), [IN_CASH, ANSWERED]),
        (None, [IN_CASH | {"payment_id": "o1"}, FAILED]),
    ],
)
def test_the_order_and_the_provider_agree(
    account: ProviderAccount | None, ends: list[dict[str, Any]]
) -> None:
    assert broken(account, *ends) == []


@pytest.mark.parametrize(
    ("account", "ends", "says"),
    [
        (charged(2), [PAID], "was charged 2 times"),
        (None, [PAID], "0 was charged, not 110"),
        (charged(1, Money(109, "USD")), [PAID], "costs 110, and [109] was charged"),
        (charged(1), [DECLINED], "is declined, and was charged"),
        (charged(1), [CANCELLED, ANSWERED], "110 was charged, not 0"),
        (charged(1), [IN_CASH, ANSWERED], "110 was charged, not 0"),
        (charged(1, back="mine"), [PAID], "has refunded"),
    ],
)
def test_what_the_provider_has_charged_wrongly_is_named(
    account: ProviderAccount, ends: list[dict[str, Any]], says: str
) -> None:
    assert any(says in line for line in broken(account, *ends))


def test_a_charge_without_an_order_is_named() -> None:
    accounts = {"o1": charged(1), "o2": charged(1)}
    lines = list(broken_shop(books(), accounts, [SONG], evidence(PAID)))

    assert lines == ["The provider has a payment for o2, which is no order."]


def test_an_order_that_nobody_placed_is_named() -> None:
    known = books()
    known.checkouts.clear()
    lines = list(broken_shop(known, {"o1": charged(1)}, [SONG], evidence(PAID)))

    assert "ann has 1 orders, and checked out 0 times." in lines


def test_an_order_is_missing_until_it_has_ended() -> None:
    assert list(unfinished_orders([SONG], evidence()))
    assert list(unfinished_orders([SONG], evidence(CANCELLED)))
    assert not list(unfinished_orders([SONG], evidence(PAID)))
