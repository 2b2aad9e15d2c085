"""A payment provider with books of its own, that is late, silent, or fails half-way."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from random import Random

import anyio
import msgspec

from ..errors import PaymentDeclined
from ..money import Money
from ..shop.payments.payment import Payment, PaymentStatus

__all__ = ["DECLINED", "SLOW", "FlakyProvider", "ProviderAccount"]

# A payment method that is declined.
DECLINED = "declined"
# A payment method that the provider decides about later.
SLOW = "slow"
# How long the provider takes for that, in seconds, at least and at most.
DECISION_SECONDS = (5.0, 90.0)
# How long a request travels, and how long its answer, in seconds, at least and at most.
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
        captured: the amounts that were charged; two of them are a double charge.
        refunds: the refund's id -> the amount.
        decided_at: when a pending payment is decided, in the event loop's time.
    """

    status: PaymentStatus = "none"
    captured: list[Money] = []
    refunds: dict[str, Money] = {}
    decided_at: float = 0.0

    @property
    def charged(self) -> int:
        """The sum of the charges less the refunds, in the currency's smallest unit."""
        back = sum(money.amount for money in self.refunds.values())
        return sum(money.amount for money in self.captured) - back


class FlakyProvider:
    """
    A payment provider; see :class:`hubbub.shop.payments.payment.PaymentProvider`.

    Its books are elsewhere: no crash of the server touches them. A request that has left the
    server arrives, even if the server has given up or has crashed in the meantime.

    Args:
        random: draws how late it is, and what fails.

    Attributes:
        silent: whether it answers nobody now; you can set it.
        failing: whether its calls fail now; you can set it.
    """

    def __init__(self, random: Random) -> None:
        self.silent = False
        self.failing = False
        self._accounts: dict[str, ProviderAccount] = {}
        self._random = random
        # The requests on their way: when they arrive, their number, and what they do then.
        self._travelling: list[tuple[float, int, Callable[[], None]]] = []
        self._sent = 0

    @property
    def accounts(self) -> Mapping[str, ProviderAccount]:
        """The books: the key of a payment, which is its id too -> its account."""
        self._take_in()
        return self._accounts

    async def authorize(self, key: str, amount: Money, payment: str) -> Payment:
        """Reserve money."""

        def reserve() -> None:
            account = self._account(key)
            if account.status != "none":
                return
            if payment == DECLINED:
                account.status = "declined"
            elif payment == SLOW:
                account.status = "pending"
                wait = self._random.uniform(*DECISION_SECONDS)
                account.decided_at = anyio.current_time() + wait
            else:
                account.status = "authorized"

        await self._send(reserve)
        return await self._answer(key)

    async def capture(self, key: str, payment_id: str, amount: Money) -> Payment:
        """Charge the reserved money."""

        def charge() -> None:
            account = self._account(key)
            if account.status == "authorized":
                account.status = "captured"
                account.captured.append(amount)

        await self._send(charge)
        return await self._answer(key)

    async def cancel(self, key: str, payment_id: str) -> Payment:
        """Release the reserved money."""

        def release() -> None:
            account = self._account(key)
            if account.status != "captured":
                account.status = "cancelled"

        await self._send(release)
        return await self._answer(key)

    async def look_up(self, key: str, amount: Money) -> Payment:
        """Return the status of a payment."""
        await self._send(lambda: None)
        return await self._answer(key)

    async def refund(self, key: str, payment_id: str, amount: Money) -> str:
        """Refund a captured payment, or a part of it."""

        def give_back() -> None:
            account = self._account(payment_id)
            if key not in account.refunds and amount.amount <= account.charged:
                account.refunds[key] = amount

        await self._send(give_back)
        await self._answer(payment_id)
        if key not in self._account(payment_id).refunds:
            raise PaymentDeclined("More than the payment cannot be refunded.")
        return f"refund-{key}"

    def _account(self, key: str) -> ProviderAccount:
        account = self._accounts.setdefault(key, ProviderAccount())
        if account.status == "pending" and account.decided_at <= anyio.current_time():
            account.status = "authorized"
        return account

    async def _send(self, effect: Callable[[], None]) -> None:
        """Send a request, and wait until it has arrived; its effect waits for nobody."""
        arrives = anyio.current_time() + self._random.uniform(*ANSWER_SECONDS)
        lost = self._fails()
        if not lost:
            self._sent += 1
            heapq.heappush(self._travelling, (arrives, self._sent, effect))
        await anyio.sleep_until(arrives)
        while self.silent:  # noqa: ASYNC110  (a fault only sets a flag)
            await anyio.sleep(SILENT_SECONDS)
        if lost:
            raise ConnectionError("The provider did not get the request.")
        self._take_in()

    def _take_in(self) -> None:
        """Carry out what has arrived; nobody sees that it is later than it could be."""
        while self._travelling and not self.silent:
            if self._travelling[0][0] > anyio.current_time():
                return
            heapq.heappop(self._travelling)[2]()

    async def _answer(self, key: str) -> Payment:
        account = self._accounts.get(key)
        status: PaymentStatus = "none" if account is None else self._account(key).status
        await anyio.sleep(self._random.uniform(*ANSWER_SECONDS))
        if self._fails():
            raise ConnectionError("The provider's answer is lost.")
        return Payment("" if status == "none" else key, status)

    def _fails(self) -> bool:
        return self.failing and self._random.random() < FAILING_CHANCE
