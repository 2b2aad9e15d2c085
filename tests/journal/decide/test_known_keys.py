"""The filter of used keys, and what it saves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.errors import KeyReused, StorageError
from hubbub.journal.decide.known_keys import PAGE_KEYS, KeyReader, KnownKeys
from hubbub.journal.stores.contract import Batch, Store, Used
from hubbub.journal.stores.memory import MemoryStore
from tests.journal.tally import SetClock, add, memory_store, open_journal, together, total

KEYS = st.tuples(st.text(max_size=8), st.text(min_size=1, max_size=8))


class AskedStore(MemoryStore):
    """Notes the keys that it is asked for, and fails to list them as often as it must."""

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


@given(used=st.lists(KEYS), others=st.lists(KEYS))
def test_a_used_key_is_never_new(
    used: list[tuple[str, str]], others: list[tuple[str, str]]
) -> None:
    known = KnownKeys(1 << 10)
    known.complete = True
    for by, key in used:
        known.add(by, key)

    assert not any(known.is_new(by, key) for by, key in used)
    if not used:
        assert all(known.is_new(by, key) for by, key in others)


def test_few_new_keys_are_taken_for_used_keys() -> None:
    known = KnownKeys(1 << 17)
    known.complete = True
    for number in range(10_000):
        known.add("ann", f"used {number}")

    wrong = sum(not known.is_new("ann", f"new {number}") for number in range(10_000))
    # With 13 bits for each key, the filter's formula expects two in a hundred.
    assert wrong < 400


async def test_until_all_keys_are_read_no_key_is_new() -> None:
    known = KnownKeys()
    assert not known.is_new("ann", "key")

    known = await filled(memory_store())
    assert known.is_new("ann", "key")


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
