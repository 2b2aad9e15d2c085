"""Requests that a payment provider takes in when nobody waits for the answer any more."""

from __future__ import annotations

from random import Random

import anyio
import pytest

from hubbub.errors import PaymentDeclined
from hubbub.money import Money
from hubbub.simulator.provider import DECISION_SECONDS, SLOW, FlakyProvider
from hubbub.testing.simulation import simulate
from tests.event_loop import Backend

PRICE = Money(999, "USD")


def test_a_request_arrives_though_nobody_waits_for_it(backend: Backend) -> None:
    async def pay() -> tuple[list[Money], list[Money]]:
        provider = FlakyProvider(Random(1))
        await provider.authorize("order", PRICE, "card")
        provider.silent = True
        with anyio.move_on_after(10):
            await provider.capture("order", "order", PRICE)
        before = list(provider.accounts["order"].captured)
        provider.silent = False
        return before, provider.accounts["order"].captured

    assert simulate(pay, backend=backend, seed=1) == ([], [PRICE])


def test_a_cancelled_payment_is_not_charged_by_a_late_request(backend: Backend) -> None:
    async def pay() -> str:
        provider = FlakyProvider(Random(1))
        await provider.cancel("order", "")
        await provider.authorize("order", PRICE, "card")
        return (await provider.capture("order", "order", PRICE)).status

    assert simulate(pay, backend=backend, seed=1) == "cancelled"


def test_a_slow_payment_is_decided_later(backend: Backend) -> None:
    async def pay() -> list[str]:
        provider = FlakyProvider(Random(1))
        first = await provider.authorize("order", PRICE, SLOW)
        await anyio.sleep(DECISION_SECONDS[1])
        then = await provider.look_up("order", PRICE)
        last = await provider.capture("order", "order", PRICE)
        return [first.status, then.status, last.status]

    assert simulate(pay, backend=backend, seed=1) == ["pending", "authorized", "captured"]


def test_more_than_the_payment_is_not_refunded(backend: Backend) -> None:
    async def refund() -> int:
        provider = FlakyProvider(Random(1))
        await provider.authorize("order", PRICE, "card")
        await provider.capture("order", "order", PRICE)
        await provider.refund("half", "order", Money(500, "USD"))
        with pytest.raises(PaymentDeclined):
            await provider.refund("more", "order", PRICE)
        return provider.accounts["order"].charged

    assert simulate(refund, backend=backend, seed=1) == 499
