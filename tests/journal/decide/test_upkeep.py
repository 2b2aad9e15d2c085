from __future__ import annotations

from collections.abc import Callable

import anyio
import anyio.lowlevel
import pytest

from hubbub.errors import StorageError
from hubbub.journal.decide.upkeep import (
    CHECK_SECONDS,
    EXPIRE_PART_SECONDS,
    EXPIRE_SECONDS,
    IDLE_SECONDS,
    Upkeep,
)
from hubbub.journal.decide.writer import Writer
from hubbub.journal.health import Health
from hubbub.journal.stores.memory import MemoryStore
from tests.journal.tally import SetClock


class BusyStore(MemoryStore):
    """Has so many parts of deferred work, or fails."""

    def __init__(self, parts: int) -> None:
        super().__init__()
        self.parts = parts
        self.fails = False
        self.expired: list[int] = []

    def catch_up(self) -> bool:
        if self.fails:
            raise StorageError("It fails.")
        self.parts -= 1
        return self.parts > 0

    def expire(self, before: int) -> bool:
        self.expired.append(before)
        return len(self.expired) % 2 == 1


def upkeep_of(store: MemoryStore, clock: SetClock, failed: Callable[[], None]) -> Upkeep:
    writer = Writer(store, Health(clock.monotonic), 5.0)
    return Upkeep(writer, clock, 60.0, failed)


async def test_deferred_work_is_done_in_parts_when_nothing_else_is() -> None:
    store = BusyStore(parts=2)
    upkeep = upkeep_of(store, SetClock(), lambda: None)
    # The pause after a part is a multiple of the time that it took: none, by this clock.
    for pause in (IDLE_SECONDS, 0.0):
        found = upkeep.next()
        assert found is not None
        assert found[1] == pause
        await upkeep.do(found[0])

    assert (store.parts, upkeep.next()) == (0, None)


async def test_work_that_fails_waits_for_the_next_commit() -> None:
    store, failures = BusyStore(parts=1), list[int]()
    upkeep = upkeep_of(store, SetClock(), lambda: failures.append(1))
    store.fails = True
    found = upkeep.next()
    assert found is not None
    await upkeep.do(found[0])
    assert len(failures) == 1

    # Whether the store can be written to again is asked meanwhile.
    again = upkeep.next()
    assert again is not None
    assert again[1] == CHECK_SECONDS


async def test_keys_expire_in_parts() -> None:
    store, clock = BusyStore(parts=0), SetClock()
    upkeep = upkeep_of(store, clock, lambda: None)
    passed = [EXPIRE_PART_SECONDS, EXPIRE_PART_SECONDS, EXPIRE_SECONDS / 2, EXPIRE_SECONDS / 2]
    counts = []
    for seconds in passed:
        clock.seconds += seconds
        await upkeep.after_batch(0.0, lambda: False)
        counts.append(len(store.expired))

    assert counts == [1, 2, 2, 3]
    assert store.expired[0] == int(clock.now().timestamp() - 60.0)


async def test_nobody_waits_for_a_journal_that_closes() -> None:
    upkeep = upkeep_of(BusyStore(parts=1), SetClock(), lambda: None)

    await upkeep.caught_up(upkeep.abandon)

    assert upkeep.wanted


@pytest.mark.parametrize("parts", [1, 3])
async def test_a_caller_who_waits_is_served_after_the_next_batch(parts: int) -> None:
    store = BusyStore(parts=parts)
    upkeep = upkeep_of(store, SetClock(), lambda: None)

    async def serve() -> None:
        await upkeep.after_batch(0.0, lambda: False)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(upkeep.caught_up, lambda: None)
        await anyio.lowlevel.checkpoint()
        tasks.start_soon(serve)

    assert (store.parts, upkeep.wanted) == (0, False)
