"""Open orders that cannot be read at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from hubbub import Hubbub, Session, StorageError
from hubbub.journal.schedule import Schedule
from hubbub.shop.payments.claims import ClaimedOrder
from hubbub.shop.payments.processor import TAKE_OVER_SECONDS, PaymentProcessor
from hubbub.shop.runtime import Storefront
from tests.shop.bank import Bank
from tests.shop.virtual_shop import Sell


def status_later(sell: Sell, path: Path, fault: Callable[[], None], seconds: float) -> str:
    """Leave an order open, open the shop again with a fault; return the order's status then."""
    found = ""

    async def story(hub: Hubbub, ann: Session) -> None:
        with anyio.move_on_after(1):
            await ann.shop.checkout(payment="good", key="1")
        fault()

    async def later(hub: Hubbub, ann: Session) -> None:
        nonlocal found
        await anyio.sleep(seconds)
        found = (await ann.shop.orders())[0].status

    bank = Bank(authorize=["answer lost"])
    sell(story, later=later, url=str(path / "hub.db"), payments=bank)
    return found


def test_an_order_that_cannot_be_read_ends_alone(
    sell: Sell, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    async def story(hub: Hubbub, ann: Session) -> None:
        processor = hub.runtime(Storefront).processor
        show = processor._show

        async def broken(stream: str) -> ClaimedOrder:
            if stream == "order/broken":
                raise ZeroDivisionError
            return await show(stream)

        monkeypatch.setattr(processor, "_show", broken)
        processor.look_at("broken")
        order = await ann.shop.checkout(payment="good", key="1")

        assert order.status == "paid"
        assert caplog.text.count("order/broken cannot be looked at") == 1

    sell(story, payments=Bank())


def test_an_order_that_the_store_cannot_read_is_finished_later(
    sell: Sell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_reading() -> None:
        show, faults = PaymentProcessor._show, [StorageError("The database is away.")] * 3

        async def fails_at_first(self: PaymentProcessor, stream: str) -> ClaimedOrder:
            if faults:
                raise faults.pop()
            return await show(self, stream)

        monkeypatch.setattr(PaymentProcessor, "_show", fails_at_first)

    assert status_later(sell, tmp_path, break_reading, 4 * TAKE_OVER_SECONDS) == "paid"


def test_orders_that_cannot_be_listed_are_listed_later(
    sell: Sell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_listing() -> None:
        plain, faults = Schedule.apply, [ZeroDivisionError()]

        def fails_once(self: Schedule, event: Any) -> None:
            if faults:
                raise faults.pop()
            plain(self, event)

        monkeypatch.setattr(Schedule, "apply", fails_once)

    assert status_later(sell, tmp_path, break_listing, TAKE_OVER_SECONDS) == "paid"
