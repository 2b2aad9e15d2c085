"""
A payment provider that moves no money: for tests, for trying out, and the default.

It accepts some of Stripe's test cards, by number or by name, and two of its own: one that never
answers, and one that pays and answers late. It stores its charges in the journal, like a bank: they
outlive the process.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import anyio
import msgspec

from ...errors import Invalid, PaymentDeclined
from ...journal.actor import Actor
from ...journal.command import Command
from ...journal.decide.states import States
from ...journal.event import Data, Draft, Event, State
from ...journal.schedule import HUB
from ...money import Money
from ...permissions import check
from ..grants import SHOP_READERS
from .payment import Payment

__all__ = ["CARDS", "Card", "Sandbox", "SandboxState", "Taken", "sandbox_stream"]

# The delay of the card that answers late.
LATE_SECONDS = 5.0
# Authorized payments that the sandbox remembers; above this number it forgets them all.
AUTHORIZED_MAX = 100_000


class Card(msgspec.Struct, frozen=True):
    """
    The behaviour of a test card.

    Args:
        number: the number on the card, without spaces.
        name: a name for use where card numbers are not allowed.
        does: the behaviour, in words.
        declined: why it is declined, if it is.
        silent: True if it never answers.
        late: True if it pays and answers late.
    """

    number: str
    name: str
    does: str
    declined: str | None = None
    silent: bool = False
    late: bool = False


CARDS: Sequence[Card] = (
    Card("4242424242424242", "pm_card_visa", "pays"),
    Card("5555555555554444", "pm_card_mastercard", "pays"),
    Card(
        "4000000000000002",
        "pm_card_chargeDeclined",
        "is declined",
        "Your card was declined.",
    ),
    Card(
        "4000000000009995",
        "pm_card_chargeDeclinedInsufficientFunds",
        "is declined: insufficient funds",
        "Your card has insufficient funds.",
    ),
    Card(
        "4000000000000069",
        "pm_card_chargeDeclinedExpiredCard",
        "is declined: it has expired",
        "Your card has expired.",
    ),
    Card("4000000000000408", "pm_card_timeout", "never answers, and is not charged", silent=True),
    Card("4000000000000202", "pm_card_late", "pays, and answers late", late=True),
)
_BY_NAME = {name: card for card in CARDS for name in (card.number, card.name)} | {
    card.name.replace("pm_card_", "tok_"): card for card in CARDS
}


class Taken(Data, frozen=True, tag="sandbox_taken"):
    """The payment was charged; or refunded; or will never be charged."""

    amount: Money | None = None
    refund: str | None = None


class SandboxState(State):
    """
    The fold of a ``sandbox/KEY`` stream: one payment.

    Args:
        amount: the charged amount; None if nothing was charged.
        cancelled: True if it will never be charged.
        refunds: the refunded amounts, by the refund's id.
    """

    data_type: ClassVar[Any] = Taken

    amount: Money | None = None
    cancelled: bool = False
    refunds: dict[str, Money] = {}

    def apply(self, event: Event) -> None:
        """Fold one event."""
        data = event.data
        assert isinstance(data, Taken)
        if data.amount is None:
            self.cancelled = True
        elif data.refund is None:
            self.amount = data.amount
        else:
            self.refunds[data.refund] = data.amount

    def check_reader(self, stream: str, user: str) -> None:
        """Refuse every reader but the provider."""
        check(SHOP_READERS["sandbox"])


def sandbox_stream(key: str) -> str:
    """Return the stream of one payment."""
    return f"sandbox/{key}"


class Sandbox:
    """
    The provider; see :class:`hubbub.shop.payments.payment.PaymentProvider`.

    Args:
        hub: the actor that stores the sandbox's own books.
    """

    def __init__(self, hub: Actor) -> None:
        self._hub = hub
        # Authorizations are forgotten with the process, which is how they expire.
        self._authorized: dict[str, Card] = {}

    async def authorize(self, key: str, amount: Money, payment: str) -> Payment:
        """Reserve money, as the card permits."""
        card = _BY_NAME.get(payment.replace(" ", "").replace("-", ""))
        if card is None:
            names = ", ".join(f"{card.number} {card.does}" for card in CARDS)
            raise Invalid(f"The sandbox has no such card; use one of {names}.")
        if card.silent:
            await anyio.sleep_forever()
        if card.declined is not None:
            return Payment(_payment_id(key), "declined", card.declined)
        if (found := await self._write(key, None)).status != "none":
            return found
        if len(self._authorized) >= AUTHORIZED_MAX:
            self._authorized.clear()
        self._authorized[key] = card
        return Payment(_payment_id(key), "authorized")

    async def capture(self, key: str, payment_id: str, amount: Money) -> Payment:
        """Charge the reserved money."""
        card = self._authorized.pop(key, CARDS[0])
        captured = await self._write(key, Taken(amount))
        if card.late:
            await anyio.sleep(LATE_SECONDS)
        return captured

    async def cancel(self, key: str, payment_id: str) -> Payment:
        """Release the reserved money."""
        self._authorized.pop(key, None)
        return await self._write(key, Taken())

    async def look_up(self, key: str, amount: Money) -> Payment:
        """Return the status of a payment."""
        found = await self._write(key, None)
        if found.status == "none" and key in self._authorized:
            return Payment(_payment_id(key), "authorized")
        return found

    async def close(self, key: str, amount: Money) -> Payment:
        """Release the reserved money, and reserve none later."""
        return await self.cancel(key, _payment_id(key))

    async def refund(self, key: str, payment_id: str, amount: Money) -> str:
        """Refund a captured payment, or a part of it."""
        paid = payment_id.removeprefix("sandbox_")

        def decide(states: States) -> Sequence[Draft]:
            stream = sandbox_stream(paid)
            taken = states.of(SandboxState, stream)
            if key in taken.refunds:
                return ()
            back = sum(money.amount for money in taken.refunds.values())
            if taken.amount is None or back + amount.amount > taken.amount.amount:
                raise PaymentDeclined("The sandbox refunds at most the amount that was paid.")
            return [Draft(stream, Taken(amount, key))]

        def result(states: States, events: Sequence[Event]) -> str:
            return f"sandbox_refund_{key}"

        return await self._hub.journal.execute(Command(HUB, decide, result))

    async def _write(self, key: str, taken: Taken | None) -> Payment:
        stream = sandbox_stream(key)

        def decide(states: States) -> Sequence[Draft]:
            state = states.of(SandboxState, stream)
            open_ = state.amount is None and not state.cancelled
            return [Draft(stream, taken)] if open_ and taken is not None else ()

        def result(states: States, events: Sequence[Event]) -> Payment:
            state = states.of(SandboxState, stream)
            if state.amount is not None:
                return Payment(_payment_id(key), "captured")
            return Payment(_payment_id(key), "cancelled" if state.cancelled else "none")

        return await self._hub.journal.execute(Command(HUB, decide, result, reads=(stream,)))


def _payment_id(key: str) -> str:
    return f"sandbox_{key}"
