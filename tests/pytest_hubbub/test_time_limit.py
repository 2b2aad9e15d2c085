from __future__ import annotations

import anyio
import pytest
from anyio.lowlevel import checkpoint

from hubbub.testing import Sessions
from pytest_hubbub.time_limit import limited

HOUR = 3600.0


async def failure_of(test: object, seconds: float) -> str:
    with pytest.raises(pytest.fail.Exception) as failed:
        await limited(seconds, test)()  # type: ignore[arg-type]  # any async function will do
    return str(failed.value)


@pytest.mark.simulated(seeds=2)
async def test_a_failure_lists_where_every_task_waits() -> None:
    async def waits_for_nobody() -> None:
        await anyio.Event().wait()

    async def waits() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(waits_for_nobody, name="worker")
            tasks.start_soon(waits_for_nobody, name="worker")
            await anyio.sleep_forever()

    text = await failure_of(waits, HOUR)

    first, second, *others = text.splitlines()
    assert first == "The test took longer than 3600 seconds. Its tasks were here:"
    assert second.startswith("  the test: ")
    assert "waits, in " in second
    assert len(others) == 1
    assert others[0].startswith("  worker: ")
    assert others[0].endswith("(2 tasks)")


@pytest.mark.simulated(seeds=1)
async def test_the_limit_is_cancellation_so_the_test_cleans_up() -> None:
    cleaned = []

    async def waits() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            cleaned.append(anyio.current_time())

    begun = anyio.current_time()
    await failure_of(waits, HOUR)

    assert cleaned == [begun + HOUR]


async def test_a_quick_test_passes() -> None:
    await limited(HOUR, checkpoint)()


async def test_a_failure_of_the_test_is_raised_as_it_is() -> None:
    async def fails() -> None:
        await checkpoint()
        raise ValueError("its own")

    with pytest.raises(ValueError, match="its own"):
        await limited(HOUR, fails)()


async def test_cancelling_the_test_is_no_failure_of_the_limit() -> None:
    with anyio.CancelScope() as scope:
        scope.cancel()
        await limited(HOUR, anyio.sleep_forever)()

    assert scope.cancelled_caught


@pytest.mark.time_limit(HOUR)
async def test_the_mark_lets_a_quick_test_pass(session: Sessions) -> None:
    await session("ann")
