from __future__ import annotations

import anyio
import pytest

from hubbub.errors import Closed, Conflict
from hubbub.journal.event import Event
from hubbub.journal.live.following_all import FollowingAll
from hubbub.journal.live.topic import TAIL_EVENTS_MAX
from tests.journal.tally import add, memory_store, open_journal, publish

HEADS = {"tally/1": 2, "tally/2": 0, "tally/3": 0}


async def test_the_events_of_several_streams_come_to_one_task() -> None:
    seen: list[tuple[str, int]] = []
    async with open_journal(memory_store()) as journal:
        await publish(journal, 3)
        async with FollowingAll(journal, "ann", HEADS) as following:
            await publish(journal, 2, "tally/3")
            await publish(journal, 1)
            with anyio.fail_after(5):
                while len(seen) < 4:
                    seen += [(event.stream, event.seq) for event in await following.next()]

    assert sorted(seen) == [("tally/1", 3), ("tally/1", 4), ("tally/3", 1), ("tally/3", 2)]


async def test_a_follower_who_waits_is_woken() -> None:
    seen: list[Event] = []
    async with (
        open_journal(memory_store()) as journal,
        FollowingAll(journal, "ann", {"tally/1": 0, "tally/2": 0}) as following,
        anyio.create_task_group() as tasks,
    ):

        async def wait() -> None:
            seen.extend(await following.next())

        tasks.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        await journal.execute(add("tally/2", 1))

    assert [event.stream for event in seen] == ["tally/2"]


async def test_a_follower_who_is_far_behind_reads_the_store() -> None:
    count, seen = 3 * TAIL_EVENTS_MAX, list[int]()
    async with (
        open_journal(memory_store()) as journal,
        FollowingAll(journal, "ann", {"tally/1": 0}) as following,
    ):
        await publish(journal, count)
        while len(seen) < count:
            seen += [event.seq for event in await following.next()]

    assert seen == [*range(1, count + 1)]


async def test_the_end_of_the_journal_ends_it() -> None:
    async with (
        open_journal(memory_store()) as journal,
        FollowingAll(journal, "ann", {"tally/1": 0}) as following,
        anyio.create_task_group() as tasks,
    ):

        async def wait() -> None:
            with pytest.raises(Closed):
                await following.next()

        tasks.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        await journal.drain()


async def test_one_stream_that_cannot_be_followed_detaches_from_all() -> None:
    async with open_journal(memory_store()) as journal:
        with pytest.raises(Conflict):
            async with FollowingAll(journal, "ann", {"tally/1": 0, "tally/2": 5}):
                pass

        assert not [topic for topic in journal.topics.values() if topic.followers]
