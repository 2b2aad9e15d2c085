"""The progress of one order that is being settled."""

from __future__ import annotations

import anyio

from ...wake_up import WakeUp
from ..orders.order import Order

__all__ = ["Settlement"]


class Settlement:
    """
    An order that a node settles, or waits for.

    Args:
        order: the order.
        payment: the payment method, if the buyer has given it to this node.
        claimed: True if this node settles the order; otherwise another node may.
    """

    def __init__(self, order: Order, payment: str | None, *, claimed: bool) -> None:
        self.order = order
        # The payment method; it is never stored, and given to the provider once.
        self.payment = payment
        self.done = anyio.Event()
        # True if something has begun that ``order`` does not show yet.
        self.again = False
        # True if something has failed, and was logged.
        self.failed = False
        # False while another node settles the order, or may do so.
        self.claimed = claimed
        # True if this node has told the others that there is something to settle.
        self.told = False
        # Set by news, which ends the pause before the next request to the provider.
        self._news = WakeUp()

    @property
    def over(self) -> bool:
        """True when nothing is left to do."""
        return not self.again and not self.order.is_open

    def tell(self) -> None:
        """Release the waiting calls, if only the provider's answer is missing."""
        refunding = any(one.status == "pending" for one in self.order.refunds)
        if self.order.status != "pending" and not refunding:
            self.done.set()

    def wake(self) -> None:
        """End the pause: there is news of the order."""
        self._news.set()

    async def pause(self, seconds: float) -> bool:
        """Wait for so many seconds, or until there is news; return True if there is."""
        with anyio.move_on_after(seconds):
            await self._news.wait()
            return True
        return False
