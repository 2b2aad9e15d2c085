"""Checks a shop against its users' books and the payment provider's. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from .provider import DECLINED, ProviderAccount
from .shop_books import ShopBooks
from .shop_fold import Goods, OrderFold, fold_orders, wrong_carts, wrong_stock
from .workload import Evidence

__all__ = ["broken_shop", "unfinished_orders"]

# The id of the refund when the provider has charged against the end of an order.
VOID = "{}-void"


def unfinished_orders(goods: Sequence[Goods], evidence: Evidence) -> Iterator[str]:
    """Yield the orders that still wait for the provider."""
    for order in fold_orders(evidence.streams, goods).values():
        if order.is_open:
            yield f"{order.id} is open: {order.ends}, {order.reconciled}, {order.refunds}."


def broken_shop(
    books: ShopBooks,
    accounts: Mapping[str, ProviderAccount],
    goods: Sequence[Goods],
    evidence: Evidence,
) -> Iterator[str]:
    """Yield every promise that is broken, once nothing is open any more."""
    orders = fold_orders(evidence.streams, goods)
    for order in orders.values():
        yield from order.broken
        yield from _wrong_payment(order, accounts.get(order.id, ProviderAccount()))
    for key in accounts.keys() - orders.keys():
        yield f"The provider has a payment for {key}, which is no order."
    for one in goods:
        events = evidence.streams.get(f"product/{one.sku}", ())
        yield from wrong_stock(one, events, orders)
        yield from _wrong_adjustments(books, one, evidence)
    yield from wrong_carts(evidence.order)
    yield from _wrong_additions(books, evidence)
    yield from _wrong_checkouts(books, orders)


def _wrong_payment(order: OrderFold, account: ProviderAccount) -> Iterator[str]:
    captured = [money.amount for money in account.captured]
    if len(captured) > 1:
        yield f"{order.id} was charged {len(captured)} times."
    if captured not in ([], [order.total]):
        yield f"{order.id} costs {order.total}, and {captured} was charged."
    charged = order.is_paid and order.payment is not None and order.reconciled != "failed"
    wanted = order.total - order.refunded if charged else 0
    if account.charged != wanted:
        yield f"{order.id} is {order.ends}, and {account.charged} was charged, not {wanted}."
    if order.ends == ["declined"] and captured:
        yield f"{order.id} is declined, and was charged."
    if order.refunded > order.total:
        yield f"{order.id} costs {order.total}, and {order.refunded} was refunded."
    for key, amount in account.refunds.items():
        known = order.refunds.get(key)
        if key != VOID.format(order.id) and known != (amount.amount, "done"):
            yield f"The provider has refunded {amount} of {order.id}, and the order has {known}."


def _wrong_adjustments(books: ShopBooks, goods: Goods, evidence: Evidence) -> Iterator[str]:
    events = evidence.streams.get(f"product/{goods.sku}", ())
    there = Counter(one["quantity"] for one in events if one["type"] == "stock_adjusted")
    for by, times in there.items():
        if times > 1 or by not in books.adjusting[goods.sku]:
            yield f"The stock of {goods.sku} was adjusted by {by} {times} times."
    for by in books.adjusted[goods.sku] - there.keys():
        yield f"The stock of {goods.sku} was not adjusted by {by}, which was acknowledged."


def _wrong_additions(books: ShopBooks, evidence: Evidence) -> Iterator[str]:
    there = Counter(
        (event["by"], event["sku"], event["quantity"])
        for event in evidence.order
        if event["type"] == "item_added"
    )
    for addition in there.keys() | books.added.keys():
        least, most = books.added[addition], books.tried[addition]
        if not least <= there[addition] <= most:
            user, sku, quantity = addition
            yield (
                f"{user} has {there[addition]} times added {quantity} {sku}: {least} were "
                f"acknowledged, and {most} tried."
            )


def _wrong_checkouts(books: ShopBooks, orders: Mapping[str, OrderFold]) -> Iterator[str]:
    for seen in books.orders.values():
        order = orders.get(seen.id)
        if order is None:
            yield f"{seen.id} was acknowledged, and is not there."
            continue
        items = {line.sku: line.quantity for line in seen.lines}
        if (seen.user, seen.total.amount, items) != (order.user, order.total, order.items):
            yield f"{seen.id} was acknowledged with {items}, and has {order.items}."
        if seen.status != "pending" and (seen.status != "declined") != order.is_paid:
            yield f"{seen.id} was acknowledged as {seen.status}, and is {order.ends}."
    placed = Counter(order.user for order in orders.values())
    paid = Counter(order.user for order in orders.values() if order.ends == ["paid"])
    tried = Counter(checkout.user for checkout in books.checkouts)
    could = Counter(
        checkout.user
        for checkout in books.checkouts
        if not checkout.declined and checkout.payment != DECLINED
    )
    for user in placed:
        if placed[user] > tried[user]:
            yield f"{user} has {placed[user]} orders, and checked out {tried[user]} times."
        if paid[user] > could[user]:
            yield f"{user} has {paid[user]} paid orders, and {could[user]} were not declined."
