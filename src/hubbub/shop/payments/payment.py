"""
The interface of a payment provider.

A payment has two steps, so that nothing is charged by accident: authorize reserves the money,
capture charges it. An authorization that is not captured expires by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol, runtime_checkable

import msgspec

from ...errors import Invalid
from ...money import Money

__all__ = [
    "ClosingProvider",
    "Payment",
    "PaymentProvider",
    "PaymentStatus",
    "RoundingProvider",
    "check_payment",
    "payable_by",
]

PaymentStatus = Literal["none", "pending", "authorized", "captured", "declined", "cancelled"]


class Payment(msgspec.Struct, frozen=True, gc=False):
    """
    The status of a payment.

    Args:
        id: the provider's id; empty if the provider has no such payment.
        status: ``none``: the provider has no such payment; ``pending``: it is not decided
            yet; ``authorized``: the money is reserved; ``captured``: it is charged;
            ``declined`` and ``cancelled``: it is not charged, and will not be.
        reason: why it was declined, for the user.
    """

    id: str
    status: PaymentStatus
    reason: str | None = None


class PaymentProvider(Protocol):
    """
    Charges money, exactly once for each key.

    Every method can be called again with the same key, also after a restart of this process,
    and then does nothing twice. If a method raises, the result is unknown:
    the shop calls :meth:`look_up`, and continues from there.
    """

    async def authorize(self, key: str, amount: Money, payment: str) -> Payment:
        """
        Reserve money.

        Args:
            key: the order's id.
            amount: the amount to pay, more than 0.
            payment: the payment method, as the provider names it: a token, never a card number.

        Returns:
            A payment that is authorized, declined or pending.

        Raises:
            Invalid: it can never be a payment method of this provider.
        """

    async def capture(self, key: str, payment_id: str, amount: Money) -> Payment:
        """
        Charge the reserved money; the payment is captured or pending, or was cancelled.

        Raises:
            Exception: the result is unknown; the shop calls :meth:`look_up`.
        """

    async def cancel(self, key: str, payment_id: str) -> Payment:
        """
        Release the reserved money; the payment is cancelled, unless it was captured before.

        Raises:
            Exception: the result is unknown; the shop calls :meth:`look_up`.
        """

    async def look_up(self, key: str, amount: Money) -> Payment:
        """
        Return the status of the payment that has this key.

        Raises:
            Exception: the status is unknown; the shop calls it again.
        """

    async def refund(self, key: str, payment_id: str, amount: Money) -> str:
        """
        Refund a captured payment, or a part of it.

        Args:
            key: the refund's id.
            payment_id: the payment.
            amount: the amount to refund.

        Returns:
            The provider's id of the refund.

        Raises:
            PaymentDeclined: the refund can never succeed.
        """


@runtime_checkable
class ClosingProvider(PaymentProvider, Protocol):
    """
    A payment provider that can close a payment before it gets the request to authorize it.

    Without ``close``, a request that arrives late can reserve money for an order that was
    declined; the money is never captured, and the authorization expires by itself.
    """

    async def close(self, key: str, amount: Money) -> Payment:
        """
        Release the reserved money, and make sure that no later authorize with the key reserves any.

        Args:
            key: the order's id, as for ``authorize``.
            amount: the amount of the order.

        Returns:
            The payment: cancelled or declined; captured, if that was done before; pending, if the
            provider cannot close it yet; or none, if it can never be authorized.

        Raises:
            Exception: the result is unknown; the shop calls it again.
        """


@runtime_checkable
class RoundingProvider(PaymentProvider, Protocol):
    """
    A payment provider that can charge only some amounts of a currency, like whole cents.

    The total of a cart is rounded to what it can charge, and the buyer sees that before paying.
    """

    def payable(self, amount: Money) -> Money:
        """
        Return the nearest amount that the provider can charge or refund; pure.

        Args:
            amount: an amount above 0.

        Returns:
            An amount above 0 in the same currency; if it cannot charge the currency, the same.
        """


def payable_by(provider: PaymentProvider) -> Callable[[Money], Money]:
    """Return a function that rounds an amount to what a provider can charge."""
    if not isinstance(provider, RoundingProvider):
        return _as_it_is

    def payable(amount: Money) -> Money:
        if amount.amount <= 0:
            return amount
        rounded = provider.payable(amount)
        if rounded.currency != amount.currency or rounded.amount <= 0:
            raise TypeError(
                f"the payment provider rounds {amount} to {rounded}; this is a bug of the provider"
            )
        return rounded

    return payable


def _as_it_is(amount: Money) -> Money:
    return amount


def check_payment(payment: object, chars_max: int) -> None:
    """Raise Invalid if a value cannot be a payment method."""
    good = isinstance(payment, str) and 0 < len(payment) <= chars_max
    if not good or not str(payment).isprintable():
        raise Invalid("payment must be a name of the payment provider's, like pm_card_visa.")
