"""The folds of orders, carts and stock, and what they find wrong."""

from __future__ import annotations

from typing import Any

import pytest

from hubbub.money import Money
from hubbub.simulator.shop_fold import (
    Goods,
    OrderFold,
    fold_orders,
    wrong_carts,
    wrong_stock,
)

MUG = Goods("mug", Money(1234, "USD"), 5)


def placed(quantity: int, subtotal: int, total: int) -> dict[str, Any]:
    return {
        "type": "placed",
        "stream": "order/o1",
        "user": "ann",
        "reserved": ["mug"],
        "items": [{"sku": "mug", "quantity": quantity}],
        "subtotal": {"amount": subtotal},
        "total": {"amount": total},
    }


def order(*events: dict[str, Any]) -> OrderFold:
    return fold_orders({"order/o1": events}, [MUG])["o1"]


@pytest.mark.parametrize(("total", "right"), [(1357, True), (1356, False), (1358, False)])
def test_a_total_is_exact(total: int, right: bool) -> None:
    assert (not order(placed(1, 1234, total)).broken) == right


def test_an_order_ends_once() -> None:
    paid, declined = {"type": "paid", "payment_id": "p"}, {"type": "declined", "reason": ""}

    assert order(placed(1, 1234, 1357), paid).is_paid is True
    assert order(placed(1, 1234, 1357), declined).is_paid is False
    assert order(placed(1, 1234, 1357)).is_paid is None
    assert "ended twice" in order(placed(1, 1234, 1357), paid, declined).broken[0]


def test_an_order_that_was_ended_by_hand_is_open_until_the_provider_answers() -> None:
    cancelled = {"type": "order_cancelled", "reason": ""}
    answered = {"type": "order_reconciled", "problem": None}

    assert order(placed(1, 1234, 1357), cancelled).is_open
    assert not order(placed(1, 1234, 1357), cancelled, answered).is_open


def test_a_refund_counts_when_it_is_done() -> None:
    paid = {"type": "paid", "payment_id": "p"}
    began = {"type": "refund_began", "refund": "r1", "amount": {"amount": 100}}
    pending = order(placed(1, 1234, 1357), paid, began)
    done = order(placed(1, 1234, 1357), paid, began, {"type": "refunded", "refund": "r1"})

    assert (pending.refunded, pending.is_open) == (0, True)
    assert (done.refunded, done.is_open) == (100, False)


def stock(*events: tuple[str, int]) -> list[dict[str, Any]]:
    made = {"type": "product_set", "stock": 5, "seq": 1}
    return [made, *({"type": t, "quantity": n, "seq": s} for s, (t, n) in enumerate(events, 2))]


def test_stock_is_what_was_there_without_what_is_sold() -> None:
    orders = {"o1": order(placed(2, 2468, 2715))}

    assert not list(wrong_stock(MUG, stock(("stock_reserved", 2)), orders))
    assert not list(wrong_stock(MUG, stock(("stock_reserved", 2), ("stock_adjusted", -3)), orders))
    assert list(wrong_stock(MUG, stock(), orders))


def test_stock_is_never_below_zero() -> None:
    events = stock(("stock_reserved", 6), ("stock_released", 6))

    assert list(wrong_stock(MUG, events, {})) == ["There are -1 of mug after event 2."]


def test_what_is_sold_is_reserved() -> None:
    loose = order(placed(1, 1234, 1357) | {"reserved": []})

    assert any("not reserved" in line for line in wrong_stock(MUG, stock(), {"o1": loose}))


def test_an_order_has_what_was_in_the_cart() -> None:
    added = {"type": "item_added", "stream": "cart/ann", "sku": "mug", "quantity": 1}
    removed = added | {"type": "item_removed"}
    ended = {"type": "checkout_ended", "stream": "cart/ann", "quantities": {"mug": 2}}

    assert not list(wrong_carts([added, added, placed(2, 2468, 2715)]))
    assert list(wrong_carts([added, added, removed, placed(2, 2468, 2715)]))
    assert list(wrong_carts([added, added, ended, placed(2, 2468, 2715)]))
    cleared = {"type": "cleared", "stream": "cart/ann"}
    assert list(wrong_carts([added, added, cleared, placed(2, 2468, 2715)]))
