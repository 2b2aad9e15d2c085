from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

import anyio
import pytest

from hubbub.errors import Conflict, Invalid, NotFound, NotMember
from hubbub.journal.live.topic import Follower
from hubbub.service import SEQ_MAX
from tests.journal.tally import (
    MANY,
    add,
    bar,
    memory_store,
    open_journal,
    publish,
    seqs,
    take,
    take_until,
    together,
)
from tests.journal.troubled import GatedStore


async def test_who_may_not_read_may_not_follow() -> None:
    async with open_journal(memory_store()) as journal:
        await journal.execute(bar("tally/1", "bob"))
        with pytest.raises(NotMember):
            async with journal.follow("bob", "tally/1", 0):
                pytest.fail("the body must not run")

        assert journal.topic("tally/1") is None


async def test_who_may_not_read_any_more_sees_what_ended_it_and_nothing_after() -> None:
    async with open_journal(memory_store()) as journal, AsyncExitStack() as stack:
        ann, bob = [
            await stack.enter_async_context(journal.follow(user, "tally/1", 0))
            for user in ("ann", "bob")
        ]
        await together(journal, add("tally/1", 1), bar("tally/1", "bob"), add("tally/1", 2))

        assert await take(bob, 2) == [1, 2]
        with pytest.raises(NotMember, match="no longer"):
            await anext(bob)
        with pytest.raises(NotMember):
            await anext(bob)
        assert await take(ann, 3) == [1, 2, 3]


async def test_who_lags_far_behind_sees_nothing_after_the_end_of_the_right_either() -> None:
    async with (
        open_journal(memory_store()) as journal,
        journal.follow("bob", "tally/1", 0) as bob,
    ):
        await publish(journal, MANY)
        await journal.execute(bar("tally/1", "bob"))
        await publish(journal, MANY)

        assert await take(bob, MANY + 1) == seqs(1, MANY + 1)
        with pytest.raises(NotMember):
            await anext(bob)


async def test_who_waits_is_told_when_the_right_ends() -> None:
    async with open_journal(memory_store()) as journal, anyio.create_task_group() as tasks:
        got: list[int] = []

        async def read() -> None:
            async with journal.follow("bob", "tally/1", 0) as bob:
                got.extend(await take_until(NotMember, bob))

        tasks.start_soon(read)
        await anyio.wait_all_tasks_blocked()
        await journal.execute(bar("tally/1", "bob"))

    assert got == [1]


async def test_who_is_put_out_while_coming_in_stays_out() -> None:
    async with open_journal(memory_store()) as journal:
        await publish(journal, 1)
        follower = Follower("bob", 0)
        call = journal.follow_call("bob", "tally/1", 0, follower)
        journal.submit(call)
        await together(journal, bar("tally/1", "bob"), add("tally/1", 1))

        with pytest.raises(NotMember):
            call.outcome()
        assert journal.topic("tally/1") is None


async def test_what_was_written_but_not_announced_is_not_seen() -> None:
    store = GatedStore()
    async with open_journal(store) as journal, AsyncExitStack() as stack:
        await publish(journal, 2)
        bob = await stack.enter_async_context(journal.follow("bob", "tally/1", 0))
        store.after_commit.shut()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(journal.execute, bar("tally/1", "bob"))
            tasks.start_soon(journal.execute, add("tally/1", 1))
            await store.after_commit.reached()
            early = await take(bob, 2)
            with anyio.move_on_after(0) as waiting:
                await anext(bob)
            store.open_all()

        assert early == [1, 2]
        assert waiting.cancelled_caught
        assert await take(bob, 1) == [3]


@pytest.mark.parametrize("stream", ["match/1", "nonsense", "", 5])
async def test_what_is_no_stream_cannot_be_followed(stream: Any) -> None:
    async with open_journal(memory_store()) as journal:
        with pytest.raises(NotFound):
            async with journal.follow("ann", stream, 0):
                pytest.fail("the body must not run")


async def test_a_seq_past_the_end_means_that_the_history_was_reset() -> None:
    async with open_journal(memory_store()) as journal:
        await publish(journal, 2)
        async with journal.follow("ann", "tally/1", 2):
            pass
        with pytest.raises(Conflict, match="the history was reset"):
            async with journal.follow("ann", "tally/1", 3):
                pytest.fail("the body must not run")


@pytest.mark.parametrize("after", [-1, "5", 1.5, b"1", SEQ_MAX + 1])
async def test_what_is_no_seq_is_refused_to_its_caller_alone(after: Any) -> None:
    async with open_journal(memory_store()) as journal:
        with pytest.raises(Invalid):
            async with journal.follow("ann", "tally/1", after):
                pytest.fail("the body must not run")

        assert await journal.execute(add("tally/1", 1)) == 1
