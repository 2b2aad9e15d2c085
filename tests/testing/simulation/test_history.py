from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

import anyio
import pytest
from anyio.lowlevel import checkpoint

from hubbub.testing import run_in_virtual_time
from hubbub.testing.simulation.history import History
from tests.event_loop import Backend


class Add(NamedTuple):
    """Add products to a cart."""

    cart: str
    number: int


Counts = dict[str, int]
Test = Callable[[History[Add]], Awaitable[object]]


class NaiveCart:
    """Two additions at once, and the last one wins."""

    def __init__(self) -> None:
        self.counts: Counts = {}

    async def add(self, cart: str, count: int) -> int:
        before = self.counts.get(cart, 0)
        await checkpoint()
        self.counts[cart] = before + count
        return before + count


class CartModel:
    initial = 0

    def apply(self, state: int, operation: Add, /) -> tuple[int, object]:
        return state + operation.number, state + operation.number


def run(test: Test, backend: Backend) -> History[Add]:
    history: History[Add] = History(unknown=(TimeoutError,))
    run_in_virtual_time(lambda: test(history), backend=backend)
    return history


async def together(history: History[Add], *operations: Add) -> None:
    cart = NaiveCart()

    async def one(operation: Add) -> None:
        await history.call(operation, lambda: cart.add(*operation))

    async with anyio.create_task_group() as tasks:
        for operation in operations:
            tasks.start_soon(one, operation)


def test_the_naive_cart_loses_an_addition(backend: Backend) -> None:
    async def test(history: History[Add]) -> None:
        await together(history, Add("ann", 1), Add("ann", 1))

    found = run(test, backend).linearizable(CartModel())

    assert found is not None
    assert len(found.placed) == 1
    assert [unplaced.expected for unplaced in found.unplaced] == [2]


def test_carts_are_independent_by_their_key(backend: Backend) -> None:
    async def test(history: History[Add]) -> None:
        await together(history, *[Add(f"user {n}", n) for n in range(50)])

    history = run(test, backend)

    assert history.linearizable(CartModel(), key=lambda operation: operation.cart) is None
    assert history.linearizable(CartModel()) is not None


def test_a_counterexample_of_a_key_has_only_its_calls(backend: Backend) -> None:
    async def test(history: History[Add]) -> None:
        await together(history, Add("ann", 1), Add("bob", 1), Add("bob", 1))

    found = run(test, backend).linearizable(CartModel(), key=lambda operation: operation.cart)

    assert found is not None
    calls = [placed.call for placed in found.placed]
    calls += [unplaced.call for unplaced in found.unplaced]
    assert {call.operation.cart for call in calls} == {"bob"}


def test_it_keeps_the_order_of_calls_and_returns(backend: Backend) -> None:
    async def test(history: History[Add]) -> None:
        async def slow() -> int:
            await anyio.sleep(2)
            return 2

        async def quick() -> int:
            await anyio.sleep(1)
            return 1

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(history.call, Add("slow", 0), slow)
            await anyio.sleep(0.1)
            tasks.start_soon(history.call, Add("quick", 0), quick)

    calls = run(test, backend).calls

    assert [(c.operation.cart, c.invoked, c.returned, c.result) for c in calls] == [
        ("slow", 1, 4, 2),
        ("quick", 2, 3, 1),
    ]


def test_it_records_and_raises_what_a_call_raises(backend: Backend) -> None:
    async def fail() -> int:
        raise LookupError("no such cart")

    async def test(history: History[Add]) -> None:
        with pytest.raises(LookupError):
            await history.call(Add("ann", 1), fail)

    [call] = run(test, backend).calls

    assert isinstance(call.result, LookupError)
    assert not call.is_unknown


@pytest.mark.parametrize("how", ["cancelled", "timed out", "running"])
def test_the_outcome_of_some_calls_is_unknown(how: str, backend: Backend) -> None:
    async def fn() -> int:
        if how == "timed out":
            raise TimeoutError
        await anyio.sleep_forever()
        return 0

    async def test(history: History[Add]) -> list[bool]:
        async with anyio.create_task_group() as tasks:
            if how == "timed out":
                with pytest.raises(TimeoutError):
                    await history.call(Add("ann", 1), fn)
            else:
                tasks.start_soon(history.call, Add("ann", 1), fn)
                await anyio.sleep(1)
            while_running = [call.is_unknown for call in history.calls]
            tasks.cancel_scope.cancel()
        return while_running

    history = run(test, backend)

    assert [call.is_unknown for call in history.calls] == [True]
    assert history.linearizable(CartModel()) is None
