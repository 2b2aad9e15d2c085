"""A payment provider with books of its own, which outlive every hub, and with troubles."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from typing import Literal, TypeVar

import anyio

from hubbub import Money, Payment, PaymentDeclined

__all__ = ["Bank", "BankError", "ClosingBank", "Trouble"]

# What may go wrong with a call: it never gets there, it gets there and its answer is lost,
# or the answer comes late; nobody is told, or an error is raised.
Trouble = Literal["lost", "answer lost", "raises", "answer raises", "late"]
LATE_SECONDS = 3.0

T = TypeVar("T")


class BankError(Exception):
    """The bank, or the way to it, is in trouble."""


class Bank:
    """
    Pays with the card ``good``, declines ``bad``, and leaves ``slow`` pending.

    Args:
        troubles: of each method, what goes wrong with its next calls; None is nothing.
    """

    def __init__(self, **troubles: list[Trouble | None]) -> None:
        self.troubles = {method: deque(coming) for method, coming in troubles.items()}
        self.asked = list[str]()
        self.amounts = dict[str, Money]()
        self.statuses = dict[str, str]()
        # How often money was really taken.
        self.captures = Counter[str]()
        self.refunds = dict[str, tuple[str, Money]]()
        self.down = False
        # Called in the middle of a call that was heard.
        self.on_heard: Callable[[str], None] = lambda method: None

    async def authorize(self, key: str, amount: Money, payment: str) -> Payment:
        def do() -> Payment:
            if key not in self.statuses:
                kinds = {"good": "authorized", "bad": "declined", "slow": "pending"}
                self.statuses[key], self.amounts[key] = kinds[payment], amount
            return self._payment(key)

        return await self._call("authorize", do)

    async def capture(self, key: str, payment_id: str, amount: Money) -> Payment:
        def do() -> Payment:
            assert (payment_id, amount) == (f"bank_{key}", self.amounts[key])
            if self.statuses[key] == "authorized":
                self.statuses[key] = "captured"
                self.captures[key] += 1
            return self._payment(key)

        return await self._call("capture", do)

    async def cancel(self, key: str, payment_id: str) -> Payment:
        def do() -> Payment:
            if self.statuses[key] in ("authorized", "pending"):
                self.statuses[key] = "cancelled"
            return self._payment(key)

        return await self._call("cancel", do)

    async def look_up(self, key: str, amount: Money) -> Payment:
        return await self._call("look_up", lambda: self._payment(key))

    async def refund(self, key: str, payment_id: str, amount: Money) -> str:
        def do() -> str:
            of = payment_id.removeprefix("bank_")
            if key not in self.refunds:
                back = sum(money.amount for paid, money in self.refunds.values() if paid == of)
                if self.statuses[of] != "captured" or back + amount.amount > self.paid(of):
                    raise PaymentDeclined("The bank gives nothing back.")
                self.refunds[key] = of, amount
            return f"back_{key}"

        return await self._call("refund", do)

    def paid(self, key: str) -> int:
        """Tell what was taken for an order, in cents."""
        return self.amounts[key].amount * self.captures[key] if key in self.amounts else 0

    def approve(self) -> None:
        """Decide the pending payments."""
        for key, status in self.statuses.items():
            if status == "pending":
                self.statuses[key] = "authorized"

    def _payment(self, key: str) -> Payment:
        status = self.statuses.get(key, "none")
        reason = "The bank says no." if status == "declined" else None
        return Payment(f"bank_{key}", status, reason)  # type: ignore[arg-type]

    async def _call(self, method: str, do: Callable[[], T]) -> T:
        self.asked.append(method)
        coming = self.troubles.get(method)
        trouble = coming.popleft() if coming else None
        await anyio.lowlevel.checkpoint()
        if self.down or trouble == "raises":
            raise BankError(f"{method} did not get there")
        if trouble == "lost":
            await anyio.sleep_forever()
        answer = do()
        self.on_heard(method)
        if trouble == "late":
            await anyio.sleep(LATE_SECONDS)
        await anyio.lowlevel.checkpoint()
        if trouble == "answer raises":
            raise BankError(f"what {method} did is not told")
        if trouble == "answer lost":
            await anyio.sleep_forever()
        return answer


class ClosingBank(Bank):
    """A bank that can close a payment before the request to authorize it arrives."""

    async def close(self, key: str, amount: Money) -> Payment:
        def do() -> Payment:
            if self.statuses.get(key) not in ("captured", "declined"):
                self.statuses[key], self.amounts[key] = "cancelled", amount
            return self._payment(key)

        return await self._call("close", do)
