"""Orders of several nodes that share a store: each is settled once, whichever node dies."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random

import anyio
import msgspec
import pytest

import hubbub
from hubbub import (
    Hubbub,
    Money,
    Order,
    Payment,
    PaymentDeclined,
    PaymentProvider,
    Session,
    Settings,
)
from hubbub.journal.cluster.nodes import NODE_SILENT_SECONDS_MAX
from hubbub.shop.payments.processor import INTERRUPTED, RETRY_SECONDS_MIN, TAKE_OVER_SECONDS
from hubbub.shop.runtime import Storefront
from hubbub.stores import MemoryStore
from hubbub.testing import VirtualClock, run_in_virtual_time
from tests.event_loop import Backend
from tests.shop.bank import Bank, ClosingBank, Trouble
from tests.shop.virtual_shop import STOCK, product, usd

# A node is left at once, as if its process had died.
SETTINGS = Settings(drain_seconds_max=0.01)
# Until another node has taken over for certain.
TAKEN_OVER = SETTINGS.payment_seconds_max + NODE_SILENT_SECONDS_MAX + 2 * TAKE_OVER_SECONDS

Story = Callable[["Shops"], Awaitable[None]]
Tell = Callable[[PaymentProvider, Story], None]


class Shops:
    """Some nodes of one shop, where ann has two pens in a cart."""

    def __init__(self, store: MemoryStore, payments: PaymentProvider) -> None:
        self._store = store
        self._payments = payments

    @asynccontextmanager
    async def node(self) -> AsyncIterator[Hubbub]:
        """Run a node."""
        settings = msgspec.structs.replace(SETTINGS, clock=VirtualClock(), random=Random())
        async with hubbub.open(
            store=self._store, settings=settings, payments=self._payments
        ) as hub:
            yield hub

    async def begin_and_die(self) -> Order:
        """Let a node die a second after ann has begun to check out there."""
        async with self.node() as hub, hub.session("ann") as ann:
            with anyio.move_on_after(1):
                await ann.shop.checkout(payment="good", key="1")
            return (await ann.shop.orders())[0]


@pytest.fixture
def tell(backend: Backend) -> Tell:
    """Tell a story of nodes in virtual time."""

    def tell(payments: PaymentProvider, story: Story) -> None:
        async def run() -> None:
            store = MemoryStore(Random(1), shared=True, clock=VirtualClock())
            shops = Shops(store, payments)
            async with shops.node() as hub, AsyncExitStack() as stack:
                root = await stack.enter_async_context(hub.session("root", role="admin"))
                await root.shop.set_product("pen", "Pen", usd("5.00"), stock=STOCK)
                ann = await stack.enter_async_context(hub.session("ann"))
                await ann.shop.add_item("pen", 2)
            await anyio.sleep(10)
            await story(shops)

        run_in_virtual_time(run, backend=backend)

    return tell


async def be_declined(ann: Session, payment: str) -> None:
    with pytest.raises(PaymentDeclined):
        await ann.shop.checkout(payment=payment, key="1")


async def check(ann: Session, bank: Bank, order: Order) -> None:
    """Check that the order, the bank, the stock and the cart agree."""
    paid = order.status == "paid"
    assert bank.captures == ({order.id: 1} if paid else {})
    assert (await product(ann)).stock == (STOCK - 2 if paid else STOCK)
    cart = await ann.shop.cart()
    assert (len(cart.lines), cart.checkout) == (0 if paid else 1, None)


@pytest.mark.parametrize("nodes", [1, 3])
@pytest.mark.parametrize("trouble", ["authorize", "capture"])
def test_what_a_dead_node_has_begun_at_the_bank_is_paid_once(
    tell: Tell, trouble: str, nodes: int
) -> None:
    troubles: dict[str, list[Trouble | None]] = {trouble: ["answer lost"]}
    bank = ClosingBank(**troubles)

    async def story(shops: Shops) -> None:
        async with AsyncExitStack() as stack:
            hubs = [await stack.enter_async_context(shops.node()) for _ in range(nodes)]
            ann = await stack.enter_async_context(hubs[-1].session("ann"))
            before = await shops.begin_and_die()
            asked = list(bank.asked)
            await anyio.sleep(SETTINGS.payment_seconds_max - 2)
            early = list(bank.asked)
            await anyio.sleep(TAKEN_OVER)
            order = await ann.shop.order(before.id)

            assert (before.status, order.status) == ("pending", "paid")
            assert asked == early
            await check(ann, bank, order)

    tell(bank, story)


def test_what_has_not_reached_the_bank_is_closed_before_it_is_declined(tell: Tell) -> None:
    bank = ClosingBank(authorize=["lost"])

    async def story(shops: Shops) -> None:
        async with shops.node() as hub, hub.session("ann") as ann:
            before = await shops.begin_and_die()
            await anyio.sleep(TAKEN_OVER)
            order = await ann.shop.order(before.id)
            late = await bank.authorize(order.id, order.total, "good")

            assert (order.status, order.reason) == ("declined", INTERRUPTED)
            assert late.status == "cancelled"
            await check(ann, bank, order)

    tell(bank, story)


def test_no_other_node_settles_an_order_while_its_own_lives(tell: Tell) -> None:
    bank = Bank(capture=["late"])

    async def story(shops: Shops) -> None:
        async with (
            shops.node() as mine,
            shops.node() as other,
            mine.session("ann") as ann,
            other.session("ann") as again,
            anyio.create_task_group() as tasks,
        ):

            async def check_out() -> None:
                await ann.shop.checkout(payment="good", key="1")

            tasks.start_soon(check_out)
            await anyio.sleep(1)
            [order] = await again.shop.orders()
            other.runtime(Storefront).processor.look_at(order.id)
            start = anyio.current_time()
            order = await again.shop.checkout(payment="good", key="1")

            assert order.status == "paid"
            assert anyio.current_time() - start < 2 + 2 * RETRY_SECONDS_MIN
            assert bank.asked == ["authorize", "capture"]
            await check(again, bank, order)

    tell(bank, story)


def test_a_buyer_who_repeats_the_checkout_elsewhere_does_not_wait_for_the_dead_node(
    tell: Tell,
) -> None:
    bank = ClosingBank(authorize=["lost"])

    async def story(shops: Shops) -> None:
        async with shops.node() as hub, hub.session("ann") as ann:
            await shops.begin_and_die()
            start = anyio.current_time()
            order = await ann.shop.checkout(payment="good", key="1")

            assert order.status == "paid"
            assert anyio.current_time() - start < NODE_SILENT_SECONDS_MAX + 2
            assert bank.asked == ["authorize", "authorize", "capture"]
            await check(ann, bank, order)

    tell(bank, story)


def test_nobody_takes_over_while_the_nodes_are_not_known(
    tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank = ClosingBank(authorize=["lost"])

    async def story(shops: Shops) -> None:
        async with shops.node() as hub, hub.session("ann") as ann:
            before = await shops.begin_and_die()
            monkeypatch.setattr(type(hub.journal.nodes), "fresh", False)
            await anyio.sleep(10 * TAKEN_OVER)
            unknown = await ann.shop.order(before.id)
            monkeypatch.undo()
            await anyio.sleep(TAKE_OVER_SECONDS + 1)

            assert unknown.status == "pending"
            assert (await ann.shop.order(before.id)).status == "declined"

    tell(bank, story)


class SlowBank(Bank):
    """A bank that a request to authorize reaches after three seconds."""

    async def authorize(self, key: str, amount: Money, payment: str) -> Payment:
        await anyio.sleep(3)
        return await super().authorize(key, amount, payment)


def test_money_that_a_node_takes_after_another_has_ended_the_order_is_given_back(
    tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank = SlowBank()

    async def story(shops: Shops) -> None:
        async with (
            shops.node() as mine,
            shops.node() as other,
            mine.session("ann") as ann,
            other.session("root", role="admin") as root,
            anyio.create_task_group() as tasks,
        ):
            # The other node cannot see that it lives.
            monkeypatch.setattr(other.journal.nodes, "is_live", lambda node: False)

            tasks.start_soon(be_declined, ann, "good")
            await anyio.sleep(1)
            [placed] = await root.shop.open_orders()
            await root.shop.cancel_order(placed.id, key="2")
            await anyio.sleep(1)
            ended = await ann.shop.order(placed.id)
            await anyio.sleep(TAKEN_OVER)
            order = await ann.shop.order(placed.id)

            assert (ended.status, ended.reconciliation) == ("declined", "done")
            assert (order.status, order.reconciliation) == ("declined", "done")
            assert bank.captures == {order.id: 1}
            assert [money for _, money in bank.refunds.values()] == [order.total]
            assert (await product(ann)).stock == STOCK

    tell(bank, story)


def test_a_refund_is_given_once_by_the_node_that_placed_the_order(tell: Tell) -> None:
    bank = ClosingBank()

    async def story(shops: Shops) -> None:
        async with (
            shops.node() as mine,
            shops.node() as other,
            mine.session("ann") as ann,
            other.session("root", role="admin") as root,
        ):
            order = await ann.shop.checkout(payment="good", key="1")
            order = await root.shop.refund(order.id, key="2")

            assert order.status == "refunded"
            assert bank.asked == ["authorize", "capture", "refund"]

    tell(bank, story)


def test_a_checkout_that_waited_for_long_shows_what_another_node_has_done(
    tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(shops: Shops) -> None:
        async with (
            shops.node() as mine,
            shops.node() as other,
            mine.session("ann") as ann,
            other.session("root", role="admin") as root,
            anyio.create_task_group() as tasks,
        ):
            # The news about it is lost.
            monkeypatch.setattr(other.journal.nodes, "tell", lambda kind, body: None)

            tasks.start_soon(be_declined, ann, "slow")
            await anyio.sleep(SETTINGS.checkout_seconds_max - 1)
            [placed] = await root.shop.open_orders()
            await root.shop.cancel_order(placed.id, key="2")

    tell(Bank(), story)
