from __future__ import annotations

from typing import Any

import anyio
import msgspec
import pytest

from hubbub.errors import Invalid, StorageError
from hubbub.journal.health import Health
from hubbub.journal.reading import SEARCHES_MAX, SEARCHES_PER_USER_MAX, Reading
from hubbub.journal.stores.contract import Batch
from tests.journal.tally import STREAMS, SetClock, memory_store, record
from tests.journal.troubled import GatedStore

WRONG_NUMBERS = [-1, 1 << 53, 1 << 63, 1 << 70, 10**5_000, True, 1.5, "1", None]


def failing(*args: object) -> None:
    raise StorageError("The disk is on fire.")


async def test_a_stream_is_read() -> None:
    store = memory_store()
    store.commit(Batch([record("tally/1", 1)]))
    reading = Reading(store, STREAMS, Health(SetClock().monotonic))

    assert await reading.read("ann", "tally/1", 0, 9) == [record("tally/1", 1).body]
    assert await reading.search("ann", store.search, "tally/1", ["a"], 9, 9) == []
    assert await reading.query("ann", max, 1, 2) == 2


@pytest.mark.parametrize("wrong", WRONG_NUMBERS, ids=lambda wrong: repr(type(wrong)))
async def test_a_number_that_no_store_could_take_is_refused(wrong: Any) -> None:
    reading = Reading(GatedStore(), STREAMS, Health(SetClock().monotonic))
    with pytest.raises(Invalid):
        await reading.read("ann", "tally/1", wrong, 1)
    with pytest.raises(Invalid):
        await reading.read("ann", "tally/1", 0, wrong)


async def test_a_failure_is_known_until_something_is_read() -> None:
    health = Health(SetClock().monotonic)
    reading = Reading(memory_store(), STREAMS, health)
    with pytest.raises(StorageError):
        await reading.query("ann", failing)
    failed = health.failed
    await reading.query("ann", max, 1, 2)

    assert failed == "The disk is on fire."
    assert not health.failed


async def test_what_cannot_be_decoded_is_a_storage_error() -> None:
    reading = Reading(memory_store(), STREAMS, Health(SetClock().monotonic))

    with pytest.raises(StorageError, match="verify"):
        await reading.query("ann", msgspec.json.decode, b"{")


async def test_searches_leave_threads_for_reading() -> None:
    store = GatedStore()
    reading = Reading(store, STREAMS, Health(SetClock().monotonic))
    async with anyio.create_task_group() as tasks:
        store.before_search.shut()
        for number in range(SEARCHES_MAX + 2 * SEARCHES_PER_USER_MAX):
            tasks.start_soon(reading.search, f"user {number}", store.search, "tally/1", ["a"], 9, 9)
        await store.before_search.reached()
        with anyio.fail_after(5):
            assert await reading.read("ann", "tally/1", 0, 9) == []
        store.open_all()
