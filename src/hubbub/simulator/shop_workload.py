"""A shop: what is paid was charged once, what is charged was paid, and what is sold was there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from functools import partial

import anyio

from ..errors import Conflict, NotFound, OutOfStock, PaymentDeclined
from ..money import Money
from ..session import Session
from ..shop.orders.order import Order
from .client import Client
from .provider import DECLINED, SLOW, FlakyProvider
from .shop_books import Checkout, ShopBooks
from .shop_evidence import broken_shop, unfinished_orders
from .shop_fold import Goods
from .workload import Evidence

__all__ = ["ShopWorkload"]

# A product that is scarce, a product that is not, and a product without a limit.
GOODS = (
    Goods("ticket", Money("99.95", "USD"), 40),
    Goods("mug", Money("12.34", "USD"), 1_000),
    Goods("song", Money("0.99", "USD"), None),
)
PAYMENTS = ("card", "card", "card", DECLINED, SLOW)
# The most pieces that a user adds to the cart at once.
QUANTITY_MAX = 3
# How often a user does something else than to add a product to the cart.
TWICE_CHANCE = 0.15
REMOVE_CHANCE = 0.05
CHECKOUT_CHANCE = 0.35
AGAIN_CHANCE = 0.05
# How often an admin ends or refunds an order, instead.
ADMIN_CHANCE = 0.4
# How often a refund is for a part of what was paid.
PART_CHANCE = 0.5


class ShopWorkload:
    """
    Users of a shop, of whom the first is an admin.

    Args:
        provider: the payment provider, whose books the check reads.
    """

    name = "shop"

    def __init__(self, provider: FlakyProvider) -> None:
        self.books = ShopBooks()
        self._provider = provider

    async def prepare(self, admin: Session) -> None:
        """Stock the products."""
        for goods in GOODS:
            await admin.shop.set_product(
                goods.sku, goods.sku.title(), goods.price, stock=goods.stock
            )

    async def begin(self, client: Client) -> None:
        """Do nothing: everybody can buy."""

    async def follow(self, client: Client) -> None:
        """Watch nothing."""

    async def act(self, client: Client) -> None:
        """Fill the cart, or check out; an admin sometimes ends or refunds an order."""
        if client.is_admin and client.random.random() < ADMIN_CHANCE:
            await self._administer(client)
            return
        drawn, limit = client.random.random(), CHECKOUT_CHANCE
        if drawn < limit:
            checkout = Checkout(client.user, client.new_key(), client.random.choice(PAYMENTS))
            self.books.checkouts.append(checkout)
            await self._check_out(client, checkout)
        elif drawn < (limit := limit + AGAIN_CHANCE):
            own = [one for one in self.books.checkouts if one.user == client.user]
            if own:
                await self._check_out(client, client.random.choice(own))
        elif drawn < (limit := limit + REMOVE_CHANCE):
            await self._remove(client)
        elif drawn < limit + TWICE_CHANCE:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._add, client)
                tasks.start_soon(self._add, client)
        else:
            await self._add(client)

    def missing(self, evidence: Evidence) -> Iterator[str]:
        """Every order is paid, or is not."""
        yield from unfinished_orders(GOODS, evidence)

    def broken(self, evidence: Evidence) -> Iterator[str]:
        """The orders, the stock and the provider's books agree."""
        yield from self.books.complaints
        yield from broken_shop(self.books, self._provider.accounts, GOODS, evidence)

    async def _add(self, client: Client) -> None:
        sku = client.random.choice(GOODS).sku
        quantity = client.random.randint(1, QUANTITY_MAX)
        addition = client.user, sku, quantity
        self.books.tried[addition] += 1
        add = partial(client.session.shop.add_item, sku, quantity, key=client.new_key())
        if await client.attempt("add to the cart", add) is not None:
            self.books.added[addition] += 1

    async def _remove(self, client: Client) -> None:
        sku = client.random.choice(GOODS).sku
        self.books.removed[client.user, sku] += 1
        remove = partial(client.session.shop.remove_item, sku, key=client.new_key())
        try:
            await client.attempt("remove from the cart", remove)
        except NotFound:
            return

    async def _check_out(self, client: Client, checkout: Checkout) -> None:
        began = anyio.current_time()
        buy = partial(client.session.shop.checkout, payment=checkout.payment, key=checkout.key)
        try:
            order = await client.attempt("check out", buy)
        except PaymentDeclined:
            checkout.declined = True
            known = self.books.orders.get(checkout.order or "")
            if known is not None and known.status in ("paid", "refunded"):
                self.books.complaints.append(f"{known.id} was {known.status}, and is declined.")
        except (Conflict, OutOfStock):
            # The cart is empty, another checkout is under way, or fewer pieces are left.
            return
        else:
            if order is not None:
                self.books.see_checkout(checkout, order, began, anyio.current_time())

    async def _administer(self, client: Client) -> None:
        shop, random = client.session.shop, client.random
        pending = await client.attempt("list open orders", shop.open_orders) or []
        waiting = [order for order in pending if order.status == "pending"]
        paid = [order for order in self.books.orders.values() if order.status == "paid"]
        if waiting:
            await self._end(client, random.choice(waiting))
        elif paid and random.random() < PART_CHANCE:
            await self._refund(client, random.choice(paid))
        else:
            await self._restock(client)

    async def _refund(self, client: Client, order: Order) -> None:
        amount = None
        if client.random.random() < PART_CHANCE:
            amount = Money(client.random.randint(1, order.total.amount), order.total.currency)
        self.books.refunds[order.id].append(amount)
        shop = client.session.shop
        refund = partial(shop.refund, order.id, key=client.new_key(), amount=amount)
        await self._change(client, "refund", refund)

    async def _end(self, client: Client, order: Order) -> None:
        """Cancel an order that waits for the provider, or mark it as paid."""
        shop, key = client.session.shop, client.new_key()
        known = self._provider.accounts.get(order.id)
        if client.random.random() < PART_CHANCE:
            end = partial(shop.cancel_order, order.id, key=key)
        else:
            # Either the admin has seen the payment at the provider, or the buyer pays in cash.
            seen = known is not None and known.status in ("authorized", "captured")
            payment = order.id if seen else None
            end = partial(shop.settle_order, order.id, key=key, payment_id=payment)
        await self._change(client, "end an order", end)

    async def _change(
        self, client: Client, what: str, change: Callable[[], Awaitable[Order]]
    ) -> None:
        began = anyio.current_time()
        try:
            changed = await client.attempt(what, change)
        except Conflict:
            # Somebody else, or the provider, was first.
            return
        if changed is not None:
            self.books.see(changed, began, anyio.current_time())

    async def _restock(self, client: Client) -> None:
        sku = client.random.choice([goods.sku for goods in GOODS if goods.stock is not None])
        # No change is like another: 1, -2, 3, -4 ...
        count = len(self.books.adjusting[sku]) + 1
        by = count if count % 2 else -count
        self.books.adjusting[sku].add(by)
        adjust = partial(client.session.shop.adjust_stock, sku, by, key=client.new_key())
        try:
            if await client.attempt("adjust the stock", adjust) is not None:
                self.books.adjusted[sku].add(by)
        except Conflict:
            return
