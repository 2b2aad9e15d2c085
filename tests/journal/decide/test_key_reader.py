"""The keys that a store has are read beside the commands, and what that saves."""

from __future__ import annotations

import pytest

from hubbub.errors import Invalid, KeyReused, StorageError
from hubbub.journal.decide.key_reader import PAGE_KEYS, KeyReader
from hubbub.journal.decide.known_keys import KnownKeys
from hubbub.journal.decide.states import USED_KEYS_MAX
from hubbub.journal.stores.contract import Batch, Store, Used
from hubbub.journal.stores.memory import MemoryStore
from tests.journal.tally import SetClock, add, memory_store, open_journal, together, total


class AskedStore(MemoryStore):
    """Notes each key that somebody looks up, and fails so many times to list all."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.failures = 0

    def used(self, by: str, key: str) -> Used | None:
        self.asked.append(key)
        return super().used(by, key)

    def keys(self, after: tuple[str, str], limit: int) -> list[Used]:
        if self.failures:
            self.failures -= 1
            raise StorageError("It fails.")
        return super().keys(after, limit)


async def filled(store: Store) -> KnownKeys:
    known = KnownKeys(1 << 20)
    await KeyReader(store, known, SetClock()).run()
    return known


async def test_the_keys_of_all_pages_are_known() -> None:
    store = memory_store()
    names = [f"key {number}" for number in range(2 * PAGE_KEYS)]
    store.commit(Batch(used=[Used("ann", name, b"", (), 0) for name in names]))
    known = await filled(store)

    assert not any(known.is_new("ann", name) for name in names)
    assert known.is_new("bob", names[0])


async def test_the_store_is_not_asked_for_a_new_key() -> None:
    store = AskedStore()
    async with open_journal(store) as journal:
        await journal.execute(total("tally/1"))
        await together(journal, *[add("tally/1", 1, key=f"key {number}") for number in range(20)])

    assert store.asked == []


async def test_the_new_keys_of_refused_commands_are_forgotten() -> None:
    async with open_journal(memory_store()) as journal:
        await journal.execute(total("tally/1"))
        for number in range(USED_KEYS_MAX + 50):
            with pytest.raises(Invalid):
                await journal.execute(add("tally/1", 0, key=f"key {number}"))

        assert len(journal._states._used) <= USED_KEYS_MAX


async def test_a_key_that_a_run_before_has_used_is_found() -> None:
    store = AskedStore()
    async with open_journal(store) as journal:
        first = await journal.execute(add("tally/1", 5, key="key"))
    async with open_journal(store) as journal:
        await journal.execute(total("tally/1"))
        again = await journal.execute(add("tally/1", 5, key="key"))
        with pytest.raises(KeyReused):
            await journal.execute(add("tally/1", 6, key="key"))

        assert await journal.execute(total("tally/1")) == 5
    assert (again, set(store.asked)) == (first, {"key"})


async def test_a_store_that_cannot_list_its_keys_is_asked_for_each() -> None:
    store = AskedStore()
    store.failures = 1
    async with open_journal(store) as journal:
        await journal.execute(add("tally/1", 5, key="key"))

    assert store.asked == ["key"]
