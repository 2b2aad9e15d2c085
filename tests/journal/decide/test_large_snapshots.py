from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from hubbub.errors import StorageError
from hubbub.journal.command import Command
from hubbub.journal.decide import cache_entries
from hubbub.journal.decide.cache_entries import SNAPSHOT_EVENTS_MIN
from hubbub.journal.decide.large_snapshots import (
    LARGE_SNAPSHOTS_MAX,
    PARTS_TOGETHER_MAX,
    LargeSnapshots,
)
from hubbub.journal.decide.states import States
from hubbub.journal.decide.writer import Writer
from hubbub.journal.event import Draft, Event, PartedState, Streams
from hubbub.journal.health import Health
from hubbub.journal.journal import Journal
from hubbub.journal.stores.contract import Batch, Record, Snapshot, Store
from hubbub.journal.stores.memory import MemoryStore
from hubbub.journal.stores.sqlite import SQLiteStore
from hubbub.settings import Settings
from tests.journal.cluster.kit import until
from tests.journal.tally import NOON, Added, SetClock, new_limit, together

STREAM = "long/1"
PART = 64


class Kept(msgspec.Struct):
    """Nothing but its parts."""


class Long(PartedState):
    """All numbers, and so a large state."""

    data_type: ClassVar[Any] = Added
    kept_type: ClassVar[Any] = Kept
    part_type: ClassVar[Any] = list[int]

    numbers: list[int] = []

    def apply(self, event: Event) -> None:
        assert isinstance(event.data, Added)
        self.numbers.append(event.data.amount)

    def kept(self) -> Kept:
        return Kept()

    def parts(self) -> Sequence[list[int]]:
        return [self.numbers[at : at + PART] for at in range(0, len(self.numbers), PART)]

    @classmethod
    def restored(cls, kept: Kept, parts: Iterable[list[int]]) -> Long:
        return cls([number for part in parts for number in part])


def journal_of(store: Store) -> Journal:
    return Journal(store, Streams({"long": Long}), Settings(), new_limit)


def add(amount: int) -> Command[int]:
    def decide(states: States) -> Sequence[Draft]:
        states.of(Long, STREAM)
        return [Draft(STREAM, Added(amount))]

    def result(states: States, events: Sequence[Event]) -> int:
        return len(states.of(Long, STREAM).numbers)

    return Command("ann", decide, result, reads=(STREAM,))


class Watched(MemoryStore):
    """Notes what is written: the snapshots of commits, and the numbers of parts."""

    def __init__(self) -> None:
        super().__init__()
        self.in_commits = 0
        self.parts: list[int] = []
        self.commits_between = 0
        self.fails = False

    def commit(self, batch: Batch) -> None:
        self.in_commits += len(batch.snapshots)
        # The snapshot is begun, and not complete.
        self.commits_between += bool(self.parts) and self.parts[-1] > 0
        super().commit(batch)

    def keep_part(self, snapshot: Snapshot, number: int) -> None:
        if self.fails:
            raise StorageError("No more parts.")
        self.parts.append(number)
        super().keep_part(snapshot, number)


async def until_written(store: Watched) -> None:
    await until(lambda: bool(store.parts) and not store.parts[-1])


async def test_a_large_snapshot_is_written_part_by_part_while_nobody_waits() -> None:
    store, count = Watched(), SNAPSHOT_EVENTS_MIN + 1
    async with journal_of(store) as journal:
        await together(journal, *map(add, range(count)))
        await until_written(store)
    snapshot = store.load(STREAM).snapshot

    assert store.in_commits == 0
    assert store.parts == list(range(len(range(0, count, PART)), -1, -1))
    assert snapshot is not None
    async with journal_of(store) as journal:
        assert await journal.execute(add(-1)) == count + 1


async def test_commands_come_between_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    # No batch takes time here, so a batch leaves time for one part.
    monkeypatch.setattr(cache_entries, "SNAPSHOT_EVENTS_MIN", 4 * PART)
    store = Watched()
    settings = Settings(clock=SetClock())
    async with Journal(store, Streams({"long": Long}), settings, new_limit) as journal:
        await together(journal, *map(add, range(4 * PART + 1)))
        for number in range(10):
            await journal.execute(add(number))
        await until_written(store)
    loaded = store.load(STREAM)

    assert store.commits_between >= 3
    # What was added while it was written is no part of it.
    assert loaded.snapshot is not None
    assert loaded.snapshot.seq == 4 * PART + 1
    assert len(loaded.bodies) == 10


async def test_a_part_that_cannot_be_written_fails_no_command() -> None:
    store, count = Watched(), SNAPSHOT_EVENTS_MIN + 1
    store.fails = True
    async with journal_of(store) as journal:
        assert max(await together(journal, *map(add, range(count)))) == count
        await journal.execute(add(1))
        store.fails = False
        await together(journal, *map(add, range(count)))
        await until_written(store)

    assert store.load(STREAM).snapshot is not None


def test_a_process_that_dies_in_between_leaves_the_snapshot_before(tmp_path: Path) -> None:
    path = tmp_path / "hubbub.db"
    store = SQLiteStore(path)
    records = [Record("long/1", seq, "added", "ann", None, b"{}") for seq in range(1, 5)]
    old = Snapshot("long/1", 2, NOON, b"{}", (b"[1]", b"[2]"))
    new = Snapshot("long/1", 4, NOON, b"{}", (b"[1]", b"[2]", b"[3]", b"[4]"))
    store.commit(Batch(records, snapshots=[old]))
    for number in (4, 3, 2):
        store.keep_part(new, number)
    store.close()

    store = SQLiteStore(path)
    before = store.load("long/1").snapshot
    for number in range(4, -1, -1):
        store.keep_part(new, number)

    assert before == old
    assert store.load("long/1").snapshot == new
    store.close()


def writer_of(store: Store) -> Writer:
    return Writer(store, Health(SetClock().monotonic), 5.0)


def snapshot_of(stream: str, seq: int = 1) -> Snapshot:
    return Snapshot(stream, seq, NOON, b"{}", (b"[1]", b"[2]"))


async def test_there_is_one_of_each_stream_and_they_take_turns() -> None:
    store = Watched()
    snapshots = LargeSnapshots(writer_of(store))
    snapshots.add([snapshot_of("long/1"), snapshot_of("long/2")])
    waiting = []
    while snapshots:
        waiting.append([name for name in ("long/1", "long/2") if name in snapshots])
        await snapshots.write_part()

    assert waiting == [["long/1", "long/2"]] * 3 + [["long/2"]] * 3
    assert len(snapshot_of("long/1").parts) > PARTS_TOGETHER_MAX


async def test_a_snapshot_that_fails_makes_room_for_the_next() -> None:
    store = Watched()
    store.fails = True
    snapshots = LargeSnapshots(writer_of(store))
    snapshots.add([snapshot_of("long/1")])
    with pytest.raises(StorageError):
        await snapshots.write_part()

    assert not snapshots


async def test_only_so_many_wait_and_the_others_are_taken_later() -> None:
    snapshots = LargeSnapshots(writer_of(Watched()))
    room = []
    for number in range(LARGE_SNAPSHOTS_MAX):
        room.append("long/other" not in snapshots)
        snapshots.add([snapshot_of(f"long/{number}")])
    full = "long/other" in snapshots
    for _ in range(3):
        await snapshots.write_part()

    assert all(room)
    assert full
    assert "long/other" not in snapshots
