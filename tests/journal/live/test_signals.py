from __future__ import annotations

import anyio
import msgspec
import pytest

from hubbub.errors import Closed
from hubbub.journal.event import Signal
from hubbub.journal.live.signals import SIGNALS_MAX, Signals
from tests.journal.tally import memory_store, open_journal


def encoded(number: int) -> bytes:
    return msgspec.json.encode(Signal("tally/1", f"user {number}", "typing"))


async def test_signals_come_in_their_order() -> None:
    signals = Signals(lambda: None)
    for number in range(3):
        signals.put(encoded(number))

    assert [(await anext(signals)).by for _ in range(3)] == ["user 0", "user 1", "user 2"]


async def test_of_too_many_the_oldest_are_dropped() -> None:
    signals = Signals(lambda: None)
    for number in range(SIGNALS_MAX + 1):
        signals.put(encoded(number))

    assert (await anext(signals)).by == "user 1"


async def test_who_listens_is_told_that_the_hub_is_going() -> None:
    ended: list[str] = []

    async def listen() -> None:
        async with journal.signals("ann", "tally/1") as signals:
            with pytest.raises(Closed):
                await anext(aiter(signals))
            ended.append("listening")

    async with anyio.create_task_group() as tasks, open_journal(memory_store()) as journal:
        tasks.start_soon(listen)
        await anyio.wait_all_tasks_blocked()

    assert ended == ["listening"]
