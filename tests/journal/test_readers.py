from __future__ import annotations

from collections import Counter

import anyio
import pytest

from hubbub.errors import Overloaded
from hubbub.journal import readers as module
from hubbub.journal.readers import READERS_MAX, READS_PER_USER_MAX, Readers
from tests.journal.troubled import Gate


class Reads:
    """Reads that stop at a gate, and which of them run or are done."""

    def __init__(self) -> None:
        self.readers = Readers()
        self.gate = Gate(is_open=False)
        self.begun: list[str] = []

    async def read(self, by: str) -> None:
        await self.readers.run(by, self._work, by)

    def _work(self, by: str) -> None:
        self.begun.append(by)
        self.gate.go_through()


async def test_one_user_does_not_have_all_the_threads() -> None:
    reads = Reads()
    async with anyio.create_task_group() as tasks:
        for _ in range(100):
            tasks.start_soon(reads.read, "mallory")
        await anyio.wait_all_tasks_blocked()
        await reads.gate.reached()
        tasks.start_soon(reads.read, "ann")
        with anyio.fail_after(5):
            while "ann" not in reads.begun:  # noqa: ASYNC110  (a thread says it)
                await anyio.sleep(0.001)
        mallorys = reads.begun.count("mallory")
        reads.gate.open()

    assert mallorys == READS_PER_USER_MAX
    assert Counter(reads.begun) == {"mallory": 100, "ann": 1}


async def test_users_who_wait_come_in_turn() -> None:
    reads = Reads()
    reads.readers = Readers(1, 1)
    async with anyio.create_task_group() as tasks:
        for by in ["ann"] * 4 + ["bob"] * 2 + ["cid"]:
            tasks.start_soon(reads.read, by)
            await anyio.wait_all_tasks_blocked()
        reads.gate.open()

    assert reads.begun == ["ann", "ann", "bob", "cid", "ann", "bob", "ann"]


async def test_the_hub_itself_may_have_all_threads() -> None:
    reads = Reads()
    async with anyio.create_task_group() as tasks:
        for _ in range(READERS_MAX):
            tasks.start_soon(reads.read, "")
        with anyio.fail_after(5):
            while len(reads.begun) < READERS_MAX:  # noqa: ASYNC110  (a thread says it)
                await anyio.sleep(0.001)
        reads.gate.open()

    assert len(reads.begun) == READERS_MAX


async def test_who_stops_waiting_takes_no_turn() -> None:
    reads = Reads()
    reads.readers = Readers(1, 1)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(reads.read, "ann")
        await reads.gate.reached()
        async with anyio.create_task_group() as impatient:
            for by in ("ann", "bob", "bob"):
                impatient.start_soon(reads.read, by)
            await anyio.wait_all_tasks_blocked()
            impatient.cancel_scope.cancel()
        reads.gate.open()
    await reads.read("cid")

    assert reads.begun == ["ann", "cid"]


async def test_reads_that_wait_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READS_WAITING_MAX", 2)
    reads = Reads()
    reads.readers = Readers(1, 1)
    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(reads.read, "ann")
            await anyio.wait_all_tasks_blocked()
        with pytest.raises(Overloaded):
            await reads.read("bob")
        reads.gate.open()

    assert reads.begun == ["ann"] * 3


async def test_a_read_that_fails_gives_its_thread_back() -> None:
    readers = Readers(1, 1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            await readers.run("ann", divmod, 1, 0)

    assert await readers.run("ann", max, 1, 2) == 2
