"""
The payment processor: one task for each order, whatever happens to its buyer's session.

A placed order is in the schedule until it is paid or declined. A task of the hub pays it, so
nothing is left half done when the buyer disconnects; and when the hub opens again, it asks the
provider for the status of each payment in the schedule, and finishes the order. Only an order that
the journal has as pending is ever charged, and the order's id is the provider's key, so it is
charged once.

Where nodes share a store, the node that placed an order settles it, and another node takes
over when that node is dead: see :mod:`.claims`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import anyio
from anyio import to_thread

from ...errors import Closed, HubbubError, Invalid, PaymentDeclined, StorageError
from ...journal.actor import Actor
from ...journal.command import Call, Command, nothing
from ...journal.decide.states import States
from ...journal.event import Draft, Event
from ...journal.retries import Retries
from ...journal.schedule import HUB
from ...journal.schedule_entries import read_schedule
from ...journal.shards import stream_shard
from ..events import Reconciled
from ..orders import commands
from ..orders.commands import ORDER_SCHEDULE
from ..orders.invoice import invoice_html
from ..orders.order import Order, OrderState, order_of, order_stream
from ..orders.reconciliation import conclude, need, reconcile
from .claims import ClaimedOrder, Claims
from .payment import ClosingProvider, Payment, PaymentProvider
from .settlement import Settlement

__all__ = ["PaymentProcessor"]

logger = logging.getLogger("hubbub.shop")

# The first pause, in seconds, before another request to a provider that did not answer, or has
# not decided yet.
RETRY_SECONDS_MIN = 0.5
# The longest such pause, in seconds.
RETRY_SECONDS_MAX = 60.0
# The pause, in seconds, before a node looks again for orders of nodes that have died.
TAKE_OVER_SECONDS = 5.0
# The kind of message that tells other nodes to look at an order.
ORDER_NEWS = "order"
# Invoices that are made at the same time, each in a thread.
INVOICES_AT_ONCE_MAX = 2

INTERRUPTED = "The payment was interrupted, and nothing was charged; try again."


class PaymentProcessor:
    """
    Settles orders and refunds.

    Args:
        hub: the actor of the hub's own commands.
        provider: the payment provider.
        start: runs a task in the hub, from anywhere.
    """

    def __init__(self, hub: Actor, provider: PaymentProvider, start: Callable[..., None]) -> None:
        self._hub = hub
        self._provider = provider
        self._start = start
        self._seconds_max = hub.settings.payment_seconds_max
        self._settling: dict[str, Settlement] = {}
        # Orders that the store could not read.
        self._unread = Retries(self._look_at, TAKE_OVER_SECONDS, start)
        nodes = hub.journal.nodes if hub.journal.store.shared else None
        self._claims = Claims(nodes, self._seconds_max)
        if nodes is not None:
            nodes.hear[ORDER_NEWS] = self._hear
        # Writing an invoice takes one of a few threads that are reserved for that.
        self.invoice_threads = anyio.CapacityLimiter(INVOICES_AT_ONCE_MAX)

    async def run(self) -> None:
        """Start to finish what an earlier process has left open, and what a dead node has."""
        while True:
            for stream in self._claims.unclaimed(await self._scheduled()):
                if stream not in self._settling:
                    await self._look_at(stream)
            if not self._claims.shared:
                # No other node leaves orders open.
                return
            await anyio.sleep(TAKE_OVER_SECONDS)

    async def _scheduled(self) -> list[str]:
        """Return the orders in the schedule, the oldest first; none if the hub is closing."""
        wait, move = RETRY_SECONDS_MIN, False
        while True:
            try:
                command = read_schedule(ORDER_SCHEDULE, move=move)
                entries = await self._hub.journal.execute(command)
                if not entries.left:
                    return sorted(entries.due)
                move = True
                continue
            except Closed:
                return []
            except Exception:  # the store may be readable later
                logger.warning("the open orders cannot be read yet", exc_info=True)
            await anyio.sleep(wait)
            wait = min(2 * wait, RETRY_SECONDS_MAX)

    async def place(self, command: Command[Order], payment: str | None) -> Order:
        """
        Place an order, or begin a refund, and settle it.

        Returns:
            The order once it is settled, or still open after ``checkout_seconds_max``.
        """
        order = await self.begin(command, payment)
        settling = self._settling.get(order.stream)
        if settling is None or not order.is_open:
            return order
        with anyio.move_on_after(self._hub.settings.checkout_seconds_max):
            await settling.done.wait()
        if settling.order.is_open and self._claims.shared:
            # Another node may have ended it.
            return (await self._show(order.stream)).order
        return settling.order

    async def begin(self, command: Command[Order], payment: str | None = None) -> Order:
        """Execute a command, and start to settle its order, without waiting for that."""

        def placed(call: Call[Order]) -> None:
            # Runs even if the buyer has disconnected in the meantime.
            if call.error is None and (order := call.outcome()).is_open:
                self._settle_soon(order, payment)
            elif call.error is None and (settling := self._settling.get(order.stream)):
                # Another node has settled it, while this node stood still.
                settling.again = True

        return await self._hub.journal.wait_for(Call(command, waits=True, on_done=placed))

    async def write_invoice(self, order: Order, locale: str) -> str:
        """Write an invoice, in a thread: a locale's formats are read from a file."""
        return await to_thread.run_sync(invoice_html, order, locale, limiter=self.invoice_threads)

    async def drain(self) -> None:
        """Wait for open payments, up to a deadline; the next process finishes the rest."""
        with anyio.move_on_after(self._hub.settings.drain_seconds_max, shield=True):
            for settling in list(self._settling.values()):
                if settling.claimed:
                    await settling.done.wait()

    def look_at(self, order_id: str) -> None:
        """Look at an order soon, because the provider has news about it."""
        self._start(self._look_at, order_stream(order_id))
        self._tell(order_stream(order_id))

    def _tell(self, stream: str) -> None:
        """Let the node that settles an order look at it."""
        if self._claims.shared:
            self._hub.journal.nodes.tell(ORDER_NEWS, stream.encode())

    def _hear(self, node: str, body: bytes) -> None:
        self._start(self._look_at, body.decode())

    async def _look_at(self, stream: str) -> None:
        try:
            found = await self._show(stream)
        except Closed:
            # It stays in the schedule, for the next time.
            return
        except StorageError:
            self._unread.later(stream)
            return
        except HubbubError as error:
            logger.warning("%s is not looked at: %s", stream, error.message)
            return
        except Exception:  # an order that cannot be read affects no other
            logger.exception("%s cannot be looked at", stream)
            return
        if found.order.is_open and (stream in self._settling or self._claims.is_mine(found)):
            self._settle_soon(found.order)
            self._settling[stream].wake()

    def _settle_soon(self, order: Order, payment: str | None = None) -> None:
        if (settling := self._settling.get(order.stream)) is not None:
            # A call that is repeated with its key brings no news: it could ask the provider
            # again and again.
            if order != settling.order:
                settling.wake()
            # Its waiting calls return the order as it is now, and not before it was ended by hand.
            settling.order, settling.again = order, True
            settling.tell()
            return
        settling = Settlement(order, payment, claimed=not self._claims.shared)
        self._settling[order.stream] = settling
        self._start(self._settle, settling)

    async def _settle(self, settling: Settlement) -> None:
        stream, wait = settling.order.stream, RETRY_SECONDS_MIN
        try:
            while not settling.over:
                moved = await self._step(settling)
                settling.tell()
                if moved:
                    wait = RETRY_SECONDS_MIN
                    continue
                news = await settling.pause(wait)
                longer = min(2 * wait, RETRY_SECONDS_MAX)
                wait = longer if settling.claimed and not news else RETRY_SECONDS_MIN
        except Closed:
            # It stays in the schedule, for the next time.
            logger.info("%s is finished when the hub is opened again", stream)
        finally:
            del self._settling[stream]
            settling.done.set()

    async def _step(self, settling: Settlement) -> bool:
        """Take one step; return False if the order has to wait."""
        try:
            if settling.again or not settling.claimed:
                return await self._look_again(settling)
            if settling.order.status == "pending":
                return await self._pay(settling)
            if settling.order.reconciliation == "pending":
                return await self._reconcile(settling)
            await self._refund(settling)
        except Closed:
            raise
        except Exception as error:  # of the provider or the store: retry
            self._log_failure(settling, error)
            return False
        return True

    async def _look_again(self, settling: Settlement) -> bool:
        """Show what has changed; return False while another node settles the order."""
        settling.again = False
        found = await self._show(settling.order.stream)
        settling.order = found.order
        settling.claimed = settling.claimed or self._claims.is_mine(found, called=True)
        if not settling.claimed and not settling.told:
            settling.told = True
            self._tell(found.order.stream)
        return settling.claimed or settling.over

    def _log_failure(self, settling: Settlement, error: Exception) -> None:
        # Once for each order, because a provider that is down for a day is retried very often.
        level = logging.DEBUG if settling.failed else logging.WARNING
        settling.failed, stream = True, settling.order.stream
        if isinstance(error, TimeoutError):
            # This is not a bug, and a traceback would not help.
            text = "%s cannot be finished yet: the payment provider has not answered for %g s"
            logger.log(level, text, stream, self._seconds_max)
        else:
            logger.log(level, "%s cannot be finished yet", stream, exc_info=error)

    async def _pay(self, settling: Settlement) -> bool:
        order = settling.order
        if not order.total:
            await self._change(settling, lambda states: commands.pay(states, order.stream, None))
            return True
        with anyio.fail_after(self._seconds_max):
            found = await self._ask(settling)
            if settling.again:
                # It may have been ended by hand in the meantime.
                return True
            if found.status == "authorized":
                found = await self._provider.capture(order.id, found.id, order.total)
            elif found.status == "pending" and self._is_late(order):
                found = await self._provider.cancel(order.id, found.id)
        return await self._note(settling, found)

    async def _ask(self, settling: Settlement) -> Payment:
        order, payment = settling.order, settling.payment
        if payment is None:
            return await self._find(order)
        # Without an answer the request may still have arrived: then look it up.
        settling.payment = None
        try:
            return await self._provider.authorize(order.id, order.total, payment)
        except (Invalid, PaymentDeclined) as error:
            return Payment("", "declined", error.message)

    async def _find(self, order: Order) -> Payment:
        """Look a payment up; if there is none, see to it that none comes."""
        found = await self._provider.look_up(order.id, order.total)
        if found.status == "none" and isinstance(self._provider, ClosingProvider):
            # A request to authorize it may still be on its way, even from another node.
            return await self._provider.close(order.id, order.total)
        return found

    async def _note(self, settling: Settlement, found: Payment) -> bool:
        stream = settling.order.stream
        match found.status:
            case "captured":
                await self._change(settling, lambda states: commands.pay(states, stream, found.id))
            case "declined" | "cancelled" | "none":
                reason = found.reason or INTERRUPTED
                await self._change(
                    settling, lambda states: commands.decline(states, stream, reason)
                )
            case _:
                return False
        return True

    async def _reconcile(self, settling: Settlement) -> bool:
        """Void, or refund, what the provider charged against the end of an order."""
        order, stream = settling.order, settling.order.stream
        with anyio.fail_after(self._seconds_max):
            outcome = await self._let_go(order) if order.total else Reconciled()
        if outcome is None:
            return False
        if outcome.problem is not None:
            logger.error("%s: look at its payment: %s", stream, outcome.problem)
        await self._change(settling, lambda states: reconcile(states, stream, outcome))
        return True

    async def _let_go(self, order: Order) -> Reconciled | None:
        found = await self._find(order)
        match need(order, found):
            case "cancel":
                found = await self._provider.cancel(order.id, found.id)
            case "capture":
                found = await self._provider.capture(order.id, found.id, order.total)
        match need(order, found):
            case "nothing":
                return conclude(order, found)
            case "refund":
                return await self._give_back(order, found)
            case _:
                return None

    async def _give_back(self, order: Order, found: Payment) -> Reconciled:
        try:
            # No refund of an order has this id.
            refund = await self._provider.refund(f"{order.id}-void", found.id, order.total)
        except PaymentDeclined as error:
            return Reconciled(found.id, problem=error.message)
        return Reconciled(found.id, refund)

    async def _refund(self, settling: Settlement) -> None:
        order, stream = settling.order, settling.order.stream
        refund = next(one for one in order.refunds if one.status == "pending")
        assert order.payment_id is not None

        def finish(states: States) -> Sequence[Draft]:
            return commands.finish_refund(states, stream, refund.id, refund_id)

        def fail(states: States) -> Sequence[Draft]:
            return commands.fail_refund(states, stream, refund.id, reason)

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
        return due is not None and due <= self._hub.journal.clock.now()

    async def _change(
        self, settling: Settlement, decide: Callable[[States], Sequence[Draft]]
    ) -> None:
        stream = settling.order.stream

        def shown(states: States, events: Sequence[Event]) -> Order:
            return order_of(stream, states.of(OrderState, stream))

        command = Command(HUB, decide, shown, reads=(stream, stream_shard(ORDER_SCHEDULE, stream)))
        settling.order = await self._hub.journal.execute(command)

    async def _show(self, stream: str) -> ClaimedOrder:
        def shown(states: States, events: Sequence[Event]) -> ClaimedOrder:
            state = states.of(OrderState, stream)
            claimant = state.terms().claimant or None
            return ClaimedOrder(order_of(stream, state), claimant, states.now)

        command = Command(HUB, nothing, shown, reads=(stream,))
        return await self._hub.journal.execute(command)
