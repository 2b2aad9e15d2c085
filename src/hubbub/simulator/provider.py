"""A payment provider with books of its own, that is late, silent, or fails half-way."""

from __future__ import annotations

from random import Random

import anyio
import msgspec

from ..errors import PaymentDeclined
from ..money import Money
from ..shop.payments.payment import Payment

__all__ = ["DECLINED", "FlakyProvider", "ProviderAccount"]

# A payment method that is declined.
DECLINED = "declined"
# How long an answer takes, in seconds, at least and at most.
ANSWER_SECONDS = (0.02, 1.5)
# How long a silent provider waits before it looks whether it is to answer again.
SILENT_SECONDS = 1.0
# The chance that a call of a provider that fails fails: before its effect or after it.
FAILING_CHANCE = 0.6


class ProviderAccount(msgspec.Struct):
    """
    One payment in the provider's books.

    Args:
        status: see :class:`Payment`.
        captured: the amounts that were charged; more than one is a double charge.
        refunds: the refund's id -> the amount.
    """

    status: str = "none"
    captured: list[Money] = []
    refunds: dict[str, Money] = {}


class FlakyProvider:
    """
    A payment provider; see :class:`hubbub.shop.payments.payment.PaymentProvider`.

    Its books are elsewhere: no crash of the server touches them.

    Args:
        random: draws how late it is, and what fails.

    Attributes:
        silent: whether it answers nobody now; you can set it.
        failing: whether its calls fail now; you can set it.
    """

    def __init__(self, random: Random) -> None:
        self.silent = False
        self.failing = False
        self.accounts: dict[str, ProviderAccount] = {}
        self._random = random

    async def authorize(self, key: str, amount: Money, payment: str) -> Payment:
        """Reserve money."""
        await self._travel()
        account = self.accounts.setdefault(key, ProviderAccount())
        if account.status == "none":
            account.status = "declined" if payment == DECLINED else "authorized"
        return await self._answer(key)

    async def capture(self, key: str, payment_id: str, amount: Money) -> Payment:
        """Charge the reserved money."""
        await self._travel()
        account = self.accounts.setdefault(key, ProviderAccount())
        if account.status == "authorized":
            account.status = "captured"
            account.captured.append(amount)
        return await self._answer(key)

    async def cancel(self, key: str, payment_id: str) -> Payment:
        """Release the reserved money."""
        await self._travel()
        account = self.accounts.setdefault(key, ProviderAccount())
        if account.status in ("none", "authorized", "declined"):
            account.status = "cancelled"
        return await self._answer(key)

    async def look_up(self, key: str, amount: Money) -> Payment:
        """Return the status of a payment."""
        await self._travel()
        return await self._answer(key)

    async def refund(self, key: str, payment_id: str, amount: Money) -> str:
        """Refund a captured payment, or a part of it."""
        await self._travel()
        account = self.accounts[payment_id]
        if key not in account.refunds:
            back = sum(money.amount for money in account.refunds.values())
            if back + amount.amount > sum(money.amount for money in account.captured):
                raise PaymentDeclined("More than the payment cannot be refunded.")
            account.refunds[key] = amount
        await self._answer(payment_id)
        return f"refund-{key}"

    async def _travel(self) -> None:
        await anyio.sleep(self._random.uniform(*ANSWER_SECONDS))
        while self.silent:  # noqa: ASYNC110  (a fault only sets a flag)
            await anyio.sleep(SILENT_SECONDS)
        self._fail("The provider did not get the request.")

    async def _answer(self, key: str) -> Payment:
        account = self.accounts.get(key, ProviderAccount())
        await anyio.sleep(self._random.uniform(*ANSWER_SECONDS))
        self._fail("The provider's answer is lost.")
        return Payment(key if account.status != "none" else "", account.status)  # type: ignore[arg-type]

    def _fail(self, message: str) -> None:
        if self.failing and self._random.random() < FAILING_CHANCE:
            raise ConnectionError(message)
