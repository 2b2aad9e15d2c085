"""
What a payment provider does for a shop.

A payment has two steps, so that nothing is charged by accident: to authorize puts the
money aside, to capture takes it. An authorisation that nobody captures lapses by itself.
"""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from ...errors import Invalid
from ...money import Money

__all__ = ["Payment", "PaymentProvider", "PaymentStatus", "check_payment"]

PaymentStatus = Literal["none", "pending", "authorized", "captured", "declined", "cancelled"]


class Payment(msgspec.Struct, frozen=True, gc=False):
    """
    What became of a payment.

    Args:
        id: the provider's; empty if the provider has never heard of it.
        status: ``none``: the provider has not heard of it; ``pending``: it will be known
            later; ``authorized``: the money is put aside; ``captured``: it was taken;
            ``declined`` and ``cancelled``: it was not, and will not be.
        reason: why it was declined, for the user.
    """

    id: str
    status: PaymentStatus
    reason: str | None = None


class PaymentProvider(Protocol):
    """
    Takes money, exactly once for each key.

    Every method may be called again with the same key, also after a restart of this process,
    and then does nothing twice. A method that raises says only that it is not known what
    became of it: the shop asks :meth:`look_up`, and goes on from there.
    """

    async def authorize(self, key: str, amount: Money, payment: str) -> Payment:
        """
        Put the money aside.

        Args:
            key: the order's id.
            amount: what is to be paid, more than 0.
            payment: what pays, as the provider names it: a token, never a card's number.

        Returns:
            It is authorized, declined or pending.

        Raises:
            Invalid: it can never be a payment of this provider.
        """

    async def capture(self, key: str, payment_id: str, amount: Money) -> Payment:
        """Take the money that was put aside; it is captured or pending, or was cancelled."""

    async def cancel(self, key: str, payment_id: str) -> Payment:
        """Let the money go; it is cancelled, unless it was captured before that."""

    async def look_up(self, key: str, amount: Money) -> Payment:
        """Tell what became of the payment that has this key."""

    async def refund(self, key: str, payment_id: str, amount: Money) -> str:
        """
        Give back what was captured, or a part of it.

        Args:
            key: the refund's id.
            payment_id: what is given back.
            amount: how much of it.

        Returns:
            The provider's id of the refund.

        Raises:
            PaymentDeclined: it will never be given back.
        """


def check_payment(payment: object, chars_max: int) -> None:
    """Raise Invalid if it cannot be what pays."""
    good = isinstance(payment, str) and 0 < len(payment) <= chars_max
    if not good or not str(payment).isprintable():
        raise Invalid("A payment is what the payment provider calls it, like pm_card_visa.")
