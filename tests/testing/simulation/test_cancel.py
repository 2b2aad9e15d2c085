"""cancel_everywhere: every place, on a real and on a virtual clock."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest

from hubbub.testing.simulation import cancel, cancel_everywhere, simulate
from tests.event_loop import Backend
from tests.testing.simulation import toys


async def test_every_place_is_cancelled_once() -> None:
    reached: list[int] = []

    async def three_waits() -> None:
        for number in range(3):
            await anyio.lowlevel.checkpoint()
            reached.append(number)

    places = await cancel_everywhere(three_waits)

    assert places >= 3
    assert reached[-3:] == [0, 1, 2]


async def test_the_check_is_told_whether_the_run_was_cancelled() -> None:
    told: list[bool] = []

    async def check(cancelled: bool) -> None:
        told.append(cancelled)

    places = await cancel_everywhere(anyio.lowlevel.checkpoint, check=check)

    assert told == [True] * places + [False]


def test_a_lost_place_of_a_pool_is_found(backend: Backend) -> None:
    async def lose() -> None:
        pool = toys.Pool()

        async def check(cancelled: bool) -> None:
            assert pool.free == 2

        await cancel_everywhere(pool.use_badly, check=check)

    with pytest.raises(AssertionError) as failed:
        simulate(lose, backend=backend)
    assert "time number 1" in failed.value.__notes__[0]


def test_a_pool_that_gives_back_its_places_passes(backend: Backend) -> None:
    async def keep() -> int:
        pool = toys.Pool()

        async def check(cancelled: bool) -> None:
            assert pool.free == 2

        return await cancel_everywhere(pool.use_well, check=check)

    assert simulate(keep, backend=backend) == 2


async def test_a_function_that_never_waits_has_no_place() -> None:
    async def nothing() -> None:
        pass

    assert await cancel_everywhere(nothing) == 0


async def test_an_error_of_the_function_is_raised_with_its_place() -> None:
    async def clumsy() -> None:
        try:
            await anyio.lowlevel.checkpoint()
        finally:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as failed:
        await cancel_everywhere(clumsy)
    assert "time number 1" in failed.value.__notes__[0]


async def test_a_function_that_waits_in_a_loop_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cancel, "WAITS_MAX", 10)

    async def many() -> None:
        for _ in range(20):
            await anyio.lowlevel.checkpoint()

    with pytest.raises(AssertionError, match="waits more than 10 times"):
        await cancel_everywhere(many)
