"""Everything that can be written to the shop's streams, drawn for test_folds.py."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from hubbub.journal.event import Data, Draft, Event
from hubbub.money import Money
from hubbub.shop import events as e
from hubbub.shop.payments.sandbox import Taken

__all__ = ["decide_cart", "decide_coupon", "decide_order", "decide_product", "list_sku", "take"]

# Decides something about a stream, given its state and its events so far.
Decide = Callable[[Any, Sequence[Event]], Iterable[Draft]]
Drawn = st.SearchStrategy[tuple[str, Decide]]

LATER = datetime(2026, 2, 1, tzinfo=UTC)

skus = st.sampled_from(["pen", "ink", "pad"])
orders = st.sampled_from(["1", "2", "3"])
counts = st.integers(1, 5)
prices = st.builds(Money, st.integers(0, 10**6), st.sampled_from(["USD", "JPY"]))
categories = st.none() | st.sampled_from(["book", "Bücher"])
items = st.builds(e.Item, skus, st.just("Stift 🖊"), prices, counts, categories)


def written(stream: str, data: st.SearchStrategy[Data]) -> Drawn:
    """Draw an event that every state of the stream can take."""
    return data.map(lambda one: ("ann", lambda _, __: [Draft(stream, one)]))


def list_sku(stream: str) -> Drawn:
    """Draw a product that is listed."""
    return written(stream, st.builds(e.Listed, st.text("abc", min_size=1, max_size=3)))


def decide_product(stream: str) -> Drawn:
    """Draw what happens to a product."""
    stocks = st.none() | st.integers(0, 9)
    made = st.builds(e.ProductSet, st.just("Stift"), prices, stocks, categories)
    reserved = st.builds(e.StockReserved, orders, counts)
    released = st.builds(e.StockReleased, orders, counts)
    adjusted = st.builds(e.StockAdjusted, st.integers(-9, 9))
    return written(stream, st.one_of(made, reserved, released, adjusted))


def decide_coupon(stream: str) -> Drawn:
    """Draw what a coupon is."""
    percent = st.none() | st.integers(1, 100)
    terms = st.builds(
        e.CouponSet,
        percent,
        st.none() | prices,
        st.none() | prices,
        st.booleans(),
        st.sampled_from([None, LATER]),
    )
    return written(stream, terms)


def decide_cart(stream: str) -> Drawn:
    """Draw what happens to a cart; what is taken out must be in it."""

    def taken_out(sku: str, count: int, whole: int) -> tuple[str, Decide]:
        def decide(cart: Any, _: Sequence[Event]) -> Iterable[Draft]:
            if sku in cart.items:
                yield Draft(stream, [e.ItemRemoved, e.QuantitySet][whole](sku, count))

        return "ann", decide

    def accepted(sku: str, price: Money) -> tuple[str, Decide]:
        def decide(cart: Any, _: Sequence[Event]) -> Iterable[Draft]:
            if sku in cart.items:
                yield Draft(stream, e.PricesAccepted({sku: price}))

        return "ann", decide

    always = st.one_of(
        st.builds(e.ItemAdded, skus, counts, st.just("Stift"), prices, categories),
        st.builds(e.CouponApplied, st.sampled_from(["A", "B"])),
        st.just(e.CouponRemoved()),
        st.builds(e.CountrySet, st.sampled_from([None, "DE"])),
        st.builds(e.Cleared, st.booleans()),
        st.builds(e.Merged, st.lists(items, max_size=3), st.just("guest"), st.none()),
        st.just(e.Merged(into="bob")),
        st.just(e.Merged(guest="bob", used={"SPRING": "9"})),
        st.builds(e.CheckoutBegan, orders, st.sampled_from([None, "A", "B"])),
        st.builds(e.CheckoutEnded, orders, st.booleans(), st.dictionaries(skus, counts)),
        st.builds(e.CouponReturned, st.sampled_from(["A", "B"]), orders),
    )
    return st.one_of(
        written(stream, always),
        st.builds(taken_out, skus, counts, st.integers(0, 1)),
        st.builds(accepted, skus, prices),
    )


def decide_order(stream: str) -> Drawn:
    """Draw what happens to an order: it is placed first, and refunds end that have begun."""
    usd = Money(100, "USD")
    placed = e.Placed(
        "ann", [e.Item("pen", "Stift", usd, 1)], usd, usd * 0, usd, usd * 2, reserved=["pen"]
    )

    def decision(data: Data, refund: str) -> tuple[str, Decide]:
        def decide(order: Any, _: Sequence[Event]) -> Iterable[Draft]:
            if order.placed is None:
                yield Draft(stream, placed)
            elif not isinstance(data, e.Refunded | e.RefundFailed) or refund in order.refunds:
                yield Draft(stream, data)

        return "/hub", decide

    def of_refund(refund: str, what: int) -> tuple[str, Decide]:
        data: list[Data] = [
            e.RefundBegan(refund, usd),
            e.Refunded(refund, "r"),
            e.RefundFailed(refund, "no"),
        ]
        return decision(data[what], refund)

    ends = st.one_of(
        st.builds(e.Paid, st.sampled_from([None, "p"])),
        st.builds(e.MarkedPaid, st.sampled_from([None, "p"])),
        st.sampled_from([e.Declined("no"), e.OrderCancelled("no")]),
        st.builds(e.Reconciled, st.none(), st.none(), st.sampled_from([None, "no"])),
    )
    return st.one_of(
        st.builds(decision, ends, st.just("")), st.builds(of_refund, orders, st.integers(0, 2))
    )


def take(stream: str) -> Drawn:
    """Draw what the sandbox charges, refunds or releases."""
    amounts = st.none() | st.builds(Money, st.integers(1, 99), st.just("USD"))
    return written(stream, st.builds(Taken, amounts, st.none() | orders))
