"""The flaky payment provider keeps its word, and its books."""

from __future__ import annotations

from contextlib import suppress
from random import Random

import anyio
import pytest

from hubbub.money import Money
from hubbub.simulator.provider import DECLINED, FlakyProvider
from hubbub.testing.simulation import simulate
from tests.event_loop import Backend

PRICE = Money(999, "USD")


def test_a_payment_is_charged_once_however_often_it_is_asked_for(backend: Backend) -> None:
    async def pay() -> FlakyProvider:
        provider = FlakyProvider(Random(1))
        provider.failing = True
        for _ in range(40):
            with suppress(ConnectionError):
                await provider.authorize("order", PRICE, "card")
            with suppress(ConnectionError):
                await provider.capture("order", "order", PRICE)
        return provider

    provider = simulate(pay, backend=backend, seed=1)
    assert provider.accounts["order"].captured == [PRICE]


def test_a_declined_payment_is_not_charged(backend: Backend) -> None:
    async def pay() -> str:
        provider = FlakyProvider(Random(1))
        await provider.authorize("order", PRICE, DECLINED)
        return (await provider.capture("order", "order", PRICE)).status

    assert simulate(pay, backend=backend, seed=1) == "declined"


def test_a_silent_provider_answers_when_it_is_back(backend: Backend) -> None:
    async def pay() -> float:
        provider = FlakyProvider(Random(1))
        provider.silent = True

        async def come_back() -> None:
            await anyio.sleep(100)
            provider.silent = False

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(come_back)
            await provider.authorize("order", PRICE, "card")
        return anyio.current_time()

    assert simulate(pay, backend=backend, seed=1) == pytest.approx(102, abs=2.5)


def test_a_refund_is_made_once(backend: Backend) -> None:
    async def refund() -> dict[str, Money]:
        provider = FlakyProvider(Random(1))
        await provider.authorize("order", PRICE, "card")
        await provider.capture("order", "order", PRICE)
        for _ in range(3):
            await provider.refund("refund", "order", PRICE)
        return provider.accounts["order"].refunds

    assert simulate(refund, backend=backend, seed=1) == {"refund": PRICE}
