"""A store that is late: the result is unknown until it returns."""

from __future__ import annotations

import anyio
import pytest

from hubbub.errors import StorageError
from hubbub.journal.command import Command
from hubbub.journal.journal import Journal
from hubbub.journal.stores.contract import Batch
from hubbub.settings import Settings
from tests.journal.tally import add, open_journal, together, total
from tests.journal.troubled import GatedStore

IMPATIENT = Settings(commit_seconds_max=0.2)


async def commit_late(journal: Journal, store: GatedStore, command: Command[int]) -> None:
    """Commit a first command in time, and let the store be late with another."""
    await journal.execute(add("tally/1", 1))
    store.before_commit.shut()
    with pytest.raises(StorageError):
        await journal.execute(command)


async def test_until_its_thread_comes_back_every_command_is_refused() -> None:
    store = GatedStore()
    async with open_journal(store, IMPATIENT) as journal:
        await commit_late(journal, store, add("tally/1", 1))
        outcomes = await together(journal, add("tally/2", 1), total("tally/1"))
        store.open_all()

    assert [type(outcome) for outcome in outcomes] == [StorageError] * 2
    assert "did not answer" in str(outcomes[0])


async def test_a_commit_that_was_late_is_known_and_told_when_its_thread_comes_back() -> None:
    store = GatedStore()
    async with (
        open_journal(store, IMPATIENT) as journal,
        journal.follow("ann", "tally/1", 0) as events,
    ):
        await commit_late(journal, store, add("tally/1", 2, key="key"))
        failed = journal.failed
        store.open_all()
        with anyio.fail_after(10):
            late = [(await anext(events)).seq for _ in range(2)]
        outcomes = await together(journal, total("tally/1"), add("tally/1", 2, key="key"))

        assert failed
        assert not journal.failed
        assert late == [1, 2]
        assert outcomes == [3, 2]
        assert await journal.execute(add("tally/1", 4)) == 3


class LateStore(GatedStore):
    """Its commit fails, and says so late."""

    def commit(self, batch: Batch) -> None:
        self.before_commit.go_through()
        if any(record.seq > 1 for record in batch.records):
            raise StorageError("The disk is on fire.")
        super().commit(batch)


async def test_a_commit_that_failed_late_has_left_nothing() -> None:
    store = LateStore()
    async with open_journal(store, IMPATIENT) as journal:
        await commit_late(journal, store, add("tally/1", 1))
        store.open_all()
        with anyio.fail_after(10):
            while "did not answer" in journal.failed:
                await together(journal, total("tally/2"))

        assert await journal.execute(total("tally/1")) == 1
        assert await journal.execute(add("tally/2", 1)) == 1
