from __future__ import annotations

from collections.abc import Callable

import anyio
import pytest

from hubbub.errors import StorageError
from hubbub.journal.decide.writer import Writer
from hubbub.journal.health import Health
from hubbub.journal.stores.contract import Batch, Stale
from hubbub.journal.stores.memory import MemoryStore
from tests.journal.tally import SetClock, memory_store, record
from tests.journal.troubled import GatedStore

ONE = Batch([record("room/1", 1)])


class OddStore(MemoryStore):
    """Raises what no store should."""

    def commit(self, batch: Batch) -> None:
        raise KeyError("/etc/hubbub/hubbub.db")


def writer_of(store: MemoryStore, seconds_max: float = 5.0) -> tuple[Writer, Health]:
    health = Health(SetClock().monotonic)
    return Writer(store, health, seconds_max), health


@pytest.mark.parametrize("make", [memory_store, GatedStore])
async def test_what_is_written_is_there(make: Callable[[], MemoryStore]) -> None:
    store = make()
    writer, _ = writer_of(store)
    await writer.commit(ONE)
    await writer.check()

    assert store.read("room/1", 0, 9) == [ONE.records[0].body]
    assert await writer.catch_up() is False
    assert await writer.expire(0) is False


async def test_whatever_a_store_raises_is_a_storage_error_without_a_path() -> None:
    writer, health = writer_of(OddStore())
    with pytest.raises(StorageError) as error:
        await writer.commit(ONE)

    assert "hubbub.db" not in error.value.message
    assert "hubbub.db" not in health.failed
    assert writer.fails


async def test_a_check_that_succeeds_says_that_the_store_is_well() -> None:
    writer, health = writer_of(OddStore())
    with pytest.raises(StorageError):
        await writer.commit(ONE)
    await writer.check()

    assert not writer.fails
    assert not health.failed


async def test_a_lost_race_is_no_failure_of_the_store() -> None:
    writer, health = writer_of(memory_store())
    with pytest.raises(Stale):
        await writer.commit(Batch([record("room/1", 2)]))

    assert not health.failed


async def test_while_a_thread_is_late_nothing_else_is_written() -> None:
    store = GatedStore()
    writer, health = writer_of(store, 0.2)
    store.before_commit.shut()
    with pytest.raises(StorageError, match="not known"):
        await writer.commit(ONE)
    with pytest.raises(StorageError, match="still busy"):
        await writer.commit(Batch([record("room/2", 1)]))
    stuck, failed = writer.stuck, health.failed
    store.open_all()
    with anyio.fail_after(10):
        done = await writer.come_back()

    assert stuck
    assert failed
    assert done
    assert not writer.stuck
    assert not health.failed
    assert store.commits == [1]
