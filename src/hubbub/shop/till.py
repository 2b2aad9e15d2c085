"""
Where orders are paid: one at a time for each order, whatever happens to who asked for it.

An order that was placed is in the agenda until it is paid or declined. It is paid in the
hub's own task group, so a caller who goes away leaves nothing in between; and when the
hub is opened again, it asks the provider what became of each payment in the agenda, and
finishes the order. Money is only taken from an order that the journal knows as pending,
and the provider is given the order's id, so it is taken once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import anyio

from ..errors import Closed, HubbubError, Invalid, PaymentDeclined
from ..journal.agenda import HUB, Agenda
from ..journal.caller import Caller
from ..journal.command import Call, Command, nothing
from ..journal.event import Draft, Event
from ..journal.states import States
from . import placing
from .order import Order, OrderState, order_of
from .payment import Payment, PaymentProvider
from .placing import AGENDA

__all__ = ["Till"]

logger = logging.getLogger("hubbub.shop")

# How long until a provider that did not answer, or does not know yet, is asked again.
RETRY_SECONDS_MIN = 0.5
RETRY_SECONDS_MAX = 60.0

INTERRUPTED = "The payment was interrupted, and nothing was charged; try again."


class _Settling:
    """An order that is being brought to its end."""

    def __init__(self, order: Order, payment: str | None) -> None:
        self.order = order
        # What pays; it is never written down, and given to the provider once.
        self.payment = payment
        self.done = anyio.Event()
        # True if something has begun that ``order`` does not tell of.
        self.again = False

    @property
    def over(self) -> bool:
        """True when nothing is left to do."""
        return not self.again and not _is_open(self.order)


class Till:
    """
    Brings orders and refunds to their end.

    Args:
        hub: whose commands these are.
        provider: takes the money.
        start: runs something in the hub's task group, from anywhere.
    """

    def __init__(self, hub: Caller, provider: PaymentProvider, start: Callable[..., None]) -> None:
        self._hub = hub
        self._provider = provider
        self._start = start
        self._seconds_max = hub.settings.payment_seconds_max
        self._settling: dict[str, _Settling] = {}

    async def run(self) -> None:
        """Begin to finish what an earlier process has left open."""

        def due(states: States, events: Sequence[Event]) -> list[str]:
            return list(states.of(Agenda, AGENDA).due)

        try:
            for stream in await self._hub.journal.execute(
                Command(HUB, nothing, due, reads=(AGENDA,))
            ):
                self._settle_soon(await self._show(stream))
        except Closed:
            return

    async def place(self, command: Command[Order], payment: str | None) -> Order:
        """
        Place an order, or begin a refund, and bring it to its end.

        Returns:
            The order when it is at its end, or still open after ``checkout_seconds_max``.
        """

        def placed(call: Call[Order]) -> None:
            # Also if the caller has gone meanwhile.
            if call.error is None and _is_open(call.outcome()):
                self._settle_soon(call.outcome(), payment)

        call = Call(command, waits=True, on_done=placed)
        order = await self._hub.journal.wait_for(call)
        settling = self._settling.get(order.stream)
        if settling is None:
            return order
        with anyio.move_on_after(self._hub.settings.checkout_seconds_max):
            await settling.done.wait()
        return settling.order

    async def drain(self) -> None:
        """Wait for what is being paid, up to a deadline; the rest is finished the next time."""
        with anyio.move_on_after(self._hub.settings.drain_seconds_max, shield=True):
            for settling in list(self._settling.values()):
                await settling.done.wait()

    def look_at(self, order_id: str) -> None:
        """Look at an order soon: the provider says that it knows more."""
        self._start(self._look_at, f"order/{order_id}")

    async def _look_at(self, stream: str) -> None:
        try:
            order = await self._show(stream)
        except HubbubError:
            logger.warning("%s is not looked at", stream, exc_info=True)
            return
        if _is_open(order):
            self._settle_soon(order)

    def _settle_soon(self, order: Order, payment: str | None = None) -> None:
        if (settling := self._settling.get(order.stream)) is not None:
            settling.again = True
            return
        self._settling[order.stream] = settling = _Settling(order, payment)
        self._start(self._settle, settling)

    async def _settle(self, settling: _Settling) -> None:
        stream, wait = settling.order.stream, RETRY_SECONDS_MIN
        try:
            while not settling.over:
                if await self._step(settling):
                    wait = RETRY_SECONDS_MIN
                    continue
                await anyio.sleep(wait)
                wait = min(2 * wait, RETRY_SECONDS_MAX)
        except Closed:
            # It is in the agenda, for the next time.
            logger.info("%s is finished when the hub is opened again", stream)
        finally:
            del self._settling[stream]
            settling.done.set()

    async def _step(self, settling: _Settling) -> bool:
        """Come one step further; returns False if one has to wait."""
        try:
            if settling.again:
                settling.again = False
                settling.order = await self._show(settling.order.stream)
            elif settling.order.status == "pending":
                return await self._pay(settling)
            else:
                await self._refund(settling)
        except Closed:
            raise
        except Exception:  # the provider's, or the store's: it is tried again
            logger.warning("%s cannot be finished yet", settling.order.stream, exc_info=True)
            return False
        return True

    async def _pay(self, settling: _Settling) -> bool:
        order = settling.order
        if not order.total:
            await self._change(settling, lambda states: placing.pay(states, order.stream, None))
            return True
        with anyio.fail_after(self._seconds_max):
            found = await self._ask(settling)
            if found.status == "authorized":
                found = await self._provider.capture(order.id, found.id, order.total)
            elif found.status == "pending" and self._is_late(order):
                found = await self._provider.cancel(order.id, found.id)
        return await self._note(settling, found)

    async def _ask(self, settling: _Settling) -> Payment:
        order, payment = settling.order, settling.payment
        if payment is None:
            return await self._provider.look_up(order.id, order.total)
        # If it is not answered it may have come there all the same: then it is looked up.
        settling.payment = None
        try:
            return await self._provider.authorize(order.id, order.total, payment)
        except (Invalid, PaymentDeclined) as error:
            return Payment("", "declined", error.message)

    async def _note(self, settling: _Settling, found: Payment) -> bool:
        stream = settling.order.stream
        match found.status:
            case "captured":
                await self._change(settling, lambda states: placing.pay(states, stream, found.id))
            case "declined" | "cancelled" | "none":
                reason = found.reason or INTERRUPTED
                await self._change(settling, lambda states: placing.decline(states, stream, reason))
            case _:
                return False
        return True

    async def _refund(self, settling: _Settling) -> None:
        order, stream = settling.order, settling.order.stream
        refund = next(one for one in order.refunds if one.status == "pending")
        assert order.payment_id is not None

        def finish(states: States) -> Sequence[Draft]:
            return placing.finish_refund(states, stream, refund.id, refund_id)

        def fail(states: States) -> Sequence[Draft]:
            return placing.fail_refund(states, stream, refund.id, reason)

        try:
            with anyio.fail_after(self._seconds_max):
                refund_id = await self._provider.refund(refund.id, order.payment_id, refund.amount)
        except PaymentDeclined as error:
            reason = error.message
            await self._change(settling, fail)
        else:
            await self._change(settling, finish)

    def _is_late(self, order: Order) -> bool:
        due = order.reserved_until
        return due is not None and due <= self._hub.settings.clock.now()

    async def _change(
        self, settling: _Settling, decide: Callable[[States], Sequence[Draft]]
    ) -> None:
        stream = settling.order.stream

        def shown(states: States, events: Sequence[Event]) -> Order:
            return order_of(stream, states.of(OrderState, stream))

        command = Command(HUB, decide, shown, reads=(stream, AGENDA))
        settling.order = await self._hub.journal.execute(command)

    async def _show(self, stream: str) -> Order:
        def shown(states: States, events: Sequence[Event]) -> Order:
            return order_of(stream, states.of(OrderState, stream))

        return await self._hub.journal.execute(Command(HUB, nothing, shown, reads=(stream,)))


def _is_open(order: Order) -> bool:
    return order.status == "pending" or any(one.status == "pending" for one in order.refunds)
