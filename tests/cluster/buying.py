"""Users who fill carts and pay, at a bank with books of its own."""

from __future__ import annotations

from functools import partial
from itertools import count

import anyio

import hubbub
from hubbub import Money, Order
from hubbub.errors import Conflict, PaymentDeclined
from tests.cluster.bank import Bank
from tests.cluster.works import END_SECONDS_MAX, PAUSE_SECONDS, Round, again, connected

__all__ = ["Buying"]

STOCK = 1_000_000
PRICE = Money("5.00", "USD")
CARD = "pm_card_visa"


class Buying:
    """
    Buyers of pens.

    Args:
        buyers: their number.
        bank: where they pay.
    """

    def __init__(self, buyers: int, bank: Bank) -> None:
        self.buyers = buyers
        self.bank = bank
        # A buyer and a key -> the order that was acknowledged as paid.
        self.paid: dict[tuple[str, str], str] = {}
        self.orders: dict[str, Order] = {}
        self.found: list[str] = []
        self.declined = 0

    async def run(self, round_: Round) -> None:
        """Buy until the round is over."""
        async with anyio.create_task_group() as tasks:
            for number in range(self.buyers):
                tasks.start_soon(self._buy, round_, f"buyer {number}")

    async def _buy(self, round_: Round, name: str) -> None:
        random = round_.random(name)
        async with connected(round_.url, name) as buyer:
            for number in count():
                if round_.is_over:
                    break
                fill = partial(buyer.shop.set_quantity, "pen", random.randint(1, 3))
                try:
                    await again(fill)
                    await self._pay(buyer, f"buy {number}")
                except Conflict:
                    # An earlier checkout of this cart is not decided yet.
                    await anyio.sleep(PAUSE_SECONDS)
            await self._end(buyer)

    async def _pay(self, buyer: hubbub.Session, key: str) -> None:
        try:
            order = await again(partial(buyer.shop.checkout, payment=CARD, key=key))
        except PaymentDeclined:
            self.declined += 1
            return
        if order.status == "paid":
            self.paid[buyer.user.id, key] = order.id

    async def _end(self, buyer: hubbub.Session) -> None:
        """Wait until all orders have ended, and repeat one; keep them for the books."""
        with anyio.move_on_after(END_SECONDS_MAX):
            while True:
                orders = await again(buyer.shop.orders)
                if not any(order.is_open for order in orders):
                    break
                await anyio.sleep(PAUSE_SECONDS)
        self.orders |= {order.id: order for order in orders}
        for (user, key), paid in list(self.paid.items()):
            if user == buyer.user.id:
                repeated = await again(partial(buyer.shop.checkout, payment=CARD, key=key))
                if repeated.id != paid:
                    self.found.append(f"{key} made the orders {paid} and {repeated.id}")
                return

    async def faults(self, reader: hubbub.Session) -> list[str]:
        """Return what is wrong."""
        found, sold, charged = [*self.found], 0, self.bank.taken
        for order in self.orders.values():
            wanted = order.total.amount if order.status == "paid" else 0
            if order.status not in ("paid", "declined"):
                found.append(f"the order {order.id} stays {order.status}")
            if charged[order.id] != wanted or self.bank.captures[order.id] > 1:
                captures = self.bank.captures[order.id]
                found.append(f"{order.id} is {order.status}, and was charged {captures} times")
            if order.status == "paid":
                sold += sum(line.quantity for line in order.lines)
        found += [f"{one} was charged, and is no order" for one in charged.keys() - self.orders]
        lost = set(self.paid.values()) - {
            order.id for order in self.orders.values() if order.status == "paid"
        }
        found += [f"the order {one} was acknowledged, and is not paid" for one in lost]
        stock = (await reader.shop.product("pen")).stock
        if stock != STOCK - sold:
            found.append(f"{sold} are sold, and the stock is {stock} of {STOCK}")
        return found

    def figures(self) -> str:
        """Return the number of orders."""
        return f"{len(self.orders)} orders, {self.declined} declined"
