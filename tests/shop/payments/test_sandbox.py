from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import anyio
import pytest

import hubbub
from hubbub import Hubbub, Invalid, NotAllowed, PaymentDeclined, PaymentProvider, Session
from hubbub.journal.actor import Actor
from hubbub.journal.schedule import HUB
from hubbub.shop.payments import sandbox
from hubbub.shop.payments.sandbox import AUTHORIZED_MAX, CARDS, LATE_SECONDS, Sandbox, SandboxState
from tests.shop.virtual_shop import Sell, usd

Open = Callable[[], AbstractAsyncContextManager[Sandbox]]
TEN = usd("10.00")


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """Open a sandbox, again and again."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Sandbox]:
        async with hubbub.open(str(tmp_path / "hub.db")) as hub:
            yield Sandbox(Actor(hub.journal, hub.settings, hub.ids, HUB, "user"))

    return opened


async def test_it_is_a_payment_provider(opened: Open) -> None:
    async with opened() as box:
        provider: PaymentProvider = box

        assert (await provider.look_up("1", TEN)).status == "none"


@pytest.mark.parametrize("card", [card for card in CARDS if not card.silent], ids=lambda c: c.name)
@pytest.mark.parametrize("written", ["number", "spaced", "name", "token"])
async def test_a_card_does_what_it_says(opened: Open, card: sandbox.Card, written: str) -> None:
    number = card.number
    payment = {
        "number": number,
        "spaced": " ".join(number[at : at + 4] for at in range(0, 16, 4)),
        "name": card.name,
        "token": card.name.replace("pm_card_", "tok_"),
    }[written]
    async with opened() as box:
        paid = await box.authorize("1", TEN, payment)

    assert paid.status == ("declined" if card.declined else "authorized")
    assert paid.reason == card.declined


async def test_a_payment_that_was_closed_is_not_authorized_later(opened: Open) -> None:
    async with opened() as box:
        closed = await box.close("1", TEN)
    async with opened() as other:
        late = await other.authorize("1", TEN, "pm_card_visa")
        captured = await other.capture("1", closed.id, TEN)

        assert (closed.status, late.status, captured.status) == ("cancelled",) * 3


async def test_a_payment_that_was_captured_is_not_closed(opened: Open) -> None:
    async with opened() as box:
        paid = await box.authorize("1", TEN, "pm_card_visa")
        await box.capture("1", paid.id, TEN)

        assert (await box.close("1", TEN)).status == "captured"


async def test_a_card_that_it_does_not_know_is_refused(opened: Open) -> None:
    async with opened() as box:
        with pytest.raises(Invalid, match="4242424242424242 pays"):
            await box.authorize("1", TEN, "4111")


async def test_what_was_taken_is_taken_once(opened: Open) -> None:
    async with opened() as box:
        paid = await box.authorize("1", TEN, "pm_card_visa")
        first = await box.capture("1", paid.id, TEN)
        again = await box.capture("1", paid.id, TEN)
        too_late = await box.cancel("1", paid.id)

    assert (first.status, again, too_late) == ("captured", first, first)


async def test_what_was_let_go_is_not_taken(opened: Open) -> None:
    async with opened() as box:
        paid = await box.authorize("1", TEN, "pm_card_visa")
        await box.cancel("1", paid.id)
        taken = await box.capture("1", paid.id, TEN)

    assert taken.status == "cancelled"


async def test_what_was_taken_outlives_the_process(opened: Open) -> None:
    async with opened() as box:
        paid = await box.authorize("1", TEN, "pm_card_visa")
        aside = await box.look_up("1", TEN)
        await box.capture("1", paid.id, TEN)
        await box.authorize("2", TEN, "pm_card_visa")
    async with opened() as box:
        statuses = [(await box.look_up(key, TEN)).status for key in ("1", "2", "3")]

    assert aside.status == "authorized"
    assert statuses == ["captured", "none", "none"]


async def test_no_more_is_given_back_than_was_taken(opened: Open) -> None:
    async with opened() as box:
        paid = await box.authorize("1", TEN, "pm_card_visa")
        with pytest.raises(PaymentDeclined):
            await box.refund("too early", paid.id, TEN)
        await box.capture("1", paid.id, TEN)
        first = await box.refund("a", paid.id, usd("6.00"))
        again = await box.refund("a", paid.id, usd("6.00"))
        with pytest.raises(PaymentDeclined):
            await box.refund("b", paid.id, usd("4.01"))
        rest = await box.refund("b", paid.id, usd("4.00"))

    assert first == again != rest


def test_nobody_reads_what_it_has_taken() -> None:
    with pytest.raises(NotAllowed):
        SandboxState().check_reader("sandbox/1", "ann")


async def test_what_is_put_aside_is_not_kept_for_ever(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert AUTHORIZED_MAX > 1
    monkeypatch.setattr(sandbox, "AUTHORIZED_MAX", 2)
    async with opened() as box:
        for key in ("1", "2", "3"):
            await box.authorize(key, TEN, "pm_card_visa")
        statuses = [(await box.look_up(key, TEN)).status for key in ("1", "2", "3")]

    assert statuses == ["none", "none", "authorized"]


def test_a_card_that_is_never_answered_is_not_charged(sell: Sell) -> None:
    async def story(hub: Hubbub, ann: Session) -> None:
        with pytest.raises(PaymentDeclined, match="nothing was charged"):
            await ann.shop.checkout(payment="pm_card_timeout", key="1")

    sell(story)


def test_a_card_that_answers_late_pays(sell: Sell) -> None:
    async def story(hub: Hubbub, ann: Session) -> None:
        start = anyio.current_time()
        order = await ann.shop.checkout(payment="pm_card_late", key="1")

        assert order.status == "paid"
        assert anyio.current_time() - start == pytest.approx(LATE_SECONDS, abs=0.1)

    sell(story)
