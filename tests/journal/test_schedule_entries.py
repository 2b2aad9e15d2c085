from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from hubbub.journal import schedule_entries
from hubbub.journal.command import Command
from hubbub.journal.event import Draft, Streams
from hubbub.journal.journal import Journal
from hubbub.journal.schedule import HUB, Schedule, Scheduled, scheduled, unscheduled
from hubbub.journal.schedule_entries import MOVED_MAX, read_schedule
from hubbub.journal.shards import stream_shards
from hubbub.journal.stores.memory import MemoryStore
from hubbub.settings import Settings
from tests.journal.tally import NOON, new_limit

LATER = NOON + timedelta(seconds=1)
SCHEDULES = Streams({"agenda": Schedule})


def at(seconds: int) -> datetime:
    return NOON + timedelta(seconds=seconds)


async def test_a_schedule_is_read_from_all_its_shards() -> None:
    async with Journal(MemoryStore(), SCHEDULES, Settings(), new_limit) as journal:
        drafts = [scheduled("agenda/matches", f"match/{n}", at(n)) for n in range(40)]
        await journal.execute(writing(*drafts, unscheduled("agenda/matches", "match/7")))
        entries = await journal.execute(read_schedule("agenda/matches"))

    assert entries.due == {f"match/{n}": at(n) for n in range(40) if n != 7}
    assert entries.heads.keys() == {*stream_shards("agenda/matches")}
    assert sum(entries.heads.values()) == 41
    assert not entries.left


async def test_entries_of_an_earlier_release_are_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOVED_MAX > 2
    monkeypatch.setattr(schedule_entries, "MOVED_MAX", 2)
    async with Journal(MemoryStore(), SCHEDULES, Settings(), new_limit) as journal:
        old = [Draft("agenda/matches", Scheduled(f"match/{n}", at(n))) for n in range(4)]
        # One of them was scheduled again since.
        await journal.execute(writing(*old, scheduled("agenda/matches", "match/3", LATER)))
        first = await journal.execute(read_schedule("agenda/matches", move=True))
        entries = await journal.execute(read_schedule("agenda/matches", move=True))
        again = await journal.execute(read_schedule("agenda/matches"))

    assert first.left
    assert not entries.left
    assert entries.due == {**{f"match/{n}": at(n) for n in range(3)}, "match/3": LATER}
    assert again == entries


def writing(*drafts: Draft) -> Command[None]:
    return Command(HUB, lambda states: drafts, lambda states, events: None)
