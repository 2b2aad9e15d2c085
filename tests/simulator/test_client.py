"""A simulated user's calls."""

from __future__ import annotations

from random import Random
from types import SimpleNamespace
from typing import Any

import anyio
import pytest

from hubbub.errors import Conflict, RateLimited, StorageError
from hubbub.simulator.client import CALL_SECONDS_MAX, Client, Stuck
from hubbub.testing.simulation import simulate
from tests.event_loop import Backend


def new_client() -> Client:
    session: Any = SimpleNamespace(user=SimpleNamespace(id="ann"))
    return Client(0, "10.2.0.1", Random(2), session)


def test_a_call_whose_outcome_is_unknown_is_repeated_or_given_up(backend: Backend) -> None:
    async def attempt(failures: int) -> tuple[int | None, int]:
        calls = 0

        async def call() -> int:
            nonlocal calls
            calls += 1
            if calls <= failures:
                raise StorageError("The disk fails.")
            return calls

        return await new_client().attempt("call", call), calls

    assert simulate(attempt, 1, backend=backend, seed=1) == (2, 2)
    answer, calls = simulate(attempt, 1000, backend=backend, seed=1)
    assert answer is None
    assert calls < 50


def test_a_limit_is_waited_for_as_long_as_it_says(backend: Backend) -> None:
    async def attempt() -> float:
        async def call() -> None:
            if anyio.current_time() < 10:
                raise RateLimited("Too many.", retry_after=10)

        await new_client().attempt("call", call)
        return anyio.current_time()

    assert 10 <= simulate(attempt, backend=backend, seed=1) <= 15


def test_a_call_without_an_answer_is_stuck(backend: Backend) -> None:
    async def attempt() -> float:
        with pytest.raises(Stuck, match="ann: send was not answered"):
            await new_client().attempt("send", anyio.sleep_forever)
        return anyio.current_time()

    assert simulate(attempt, backend=backend, seed=1) == CALL_SECONDS_MAX


async def test_a_refusal_is_raised() -> None:
    async def call() -> None:
        raise Conflict("It is over.")

    with pytest.raises(Conflict):
        await new_client().attempt("call", call)


def test_keys_are_new_each_time() -> None:
    client = new_client()

    assert len({client.new_key() for _ in range(100)}) == 100
