from __future__ import annotations

import logging

import anyio
import pytest

from hubbub.errors import Closed, StorageError
from hubbub.journal.containment import (
    HEALTHY_SECONDS,
    RESTART_SECONDS_MAX,
    RESTART_SECONDS_MIN,
    STORE_SECONDS_MAX,
    contained,
    keep_running,
    tell_each,
)
from hubbub.testing import run_in_virtual_time

BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])


async def fail(error: Exception) -> None:
    raise error


async def test_a_fault_ends_its_own_work_alone_and_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    done = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(contained, "one", fail, ZeroDivisionError())
        await anyio.wait_all_tasks_blocked()
        done.append(True)

    assert done
    assert [record.getMessage() for record in caplog.records] == ["one has failed"]


async def test_that_the_hub_is_closing_is_no_fault(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    await contained("one", fail, Closed("The hub is closed."))
    await keep_running("two", lambda: fail(Closed("The hub is closed.")))

    assert not caplog.records


async def test_contained_work_can_be_cancelled() -> None:
    with anyio.move_on_after(0) as scope:
        await contained("one", anyio.sleep_forever)

    assert scope.cancelled_caught


class Flaky:
    """Fails so many times, after so many seconds each, and notes when it starts."""

    def __init__(self, failures: int, error: Exception, seconds: float = 0.0) -> None:
        self.failures = failures
        self.error = error
        self.seconds = seconds
        self.starts: list[float] = []

    async def __call__(self) -> None:
        self.starts.append(anyio.current_time())
        await anyio.sleep(self.seconds)
        if len(self.starts) <= self.failures:
            raise self.error


@BACKENDS
def test_what_must_run_starts_again_soon_and_then_less_often(backend: str) -> None:
    work = Flaky(12, ZeroDivisionError())
    run_in_virtual_time(keep_running, "it", work, backend=backend)  # type: ignore[arg-type]
    waits = [after - before for before, after in zip(work.starts, work.starts[1:], strict=False)]

    assert len(work.starts) == 13
    assert waits[0] == pytest.approx(RESTART_SECONDS_MIN)
    assert waits[-1] == pytest.approx(RESTART_SECONDS_MAX)
    assert waits == sorted(waits)


@BACKENDS
def test_what_ran_long_before_it_failed_starts_again_soon(backend: str) -> None:
    work = Flaky(8, ZeroDivisionError(), seconds=2 * HEALTHY_SECONDS)
    run_in_virtual_time(keep_running, "it", work, backend=backend)  # type: ignore[arg-type]
    waits = [after - before for before, after in zip(work.starts, work.starts[1:], strict=False)]

    assert max(waits) == pytest.approx(2 * HEALTHY_SECONDS + RESTART_SECONDS_MIN)


@BACKENDS
def test_who_waits_for_the_store_does_not_fill_the_log(
    backend: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    work = Flaky(20, StorageError("The disk is on fire."))
    run_in_virtual_time(keep_running, "it", work, backend=backend)  # type: ignore[arg-type]

    assert not caplog.records


def test_an_observer_that_fails_keeps_nothing_from_the_others() -> None:
    told: list[int] = []

    def broken(number: int) -> None:
        raise ZeroDivisionError

    tell_each([told.append, broken, told.append], 5)

    assert told == [5, 5]


@BACKENDS
def test_what_waits_for_the_store_starts_soon_after_a_long_outage(backend: str) -> None:
    work = Flaky(50, StorageError("The database is away."))
    run_in_virtual_time(keep_running, "it", work, backend=backend)  # type: ignore[arg-type]
    waits = [after - before for before, after in zip(work.starts, work.starts[1:], strict=False)]

    assert max(waits) == pytest.approx(STORE_SECONDS_MAX)
