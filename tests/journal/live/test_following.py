from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

import anyio
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hubbub.errors import Closed
from hubbub.journal.command import Call
from hubbub.journal.event import Event, Signal, encode_event
from hubbub.journal.journal import Journal
from hubbub.journal.live.following import Events, Tail
from hubbub.journal.live.topic import BATCH_EVENTS_MAX, TAIL_EVENTS_MAX, Follower, Topic
from hubbub.journal.live.topics import TOPICS_IDLE_MAX
from tests.journal.tally import (
    MANY,
    NOON,
    STREAMS,
    Added,
    add,
    memory_store,
    numbers,
    open_journal,
    publish,
    seqs,
    take,
    take_until,
)
from tests.journal.troubled import GatedStore

# One unbroken sequence


async def test_history_comes_first_and_then_what_is_live() -> None:
    async with open_journal(memory_store()) as journal:
        await publish(journal, 3)
        async with journal.follow("ann", "tally/1", 0) as events:
            history = await take(events, 3)
            await publish(journal, 2)

            assert history == [1, 2, 3]
            assert await take(events, 2) == [4, 5]


async def test_a_follower_begins_after_the_last_seq_it_has() -> None:
    async with open_journal(memory_store()) as journal:
        await publish(journal, 5)
        async with journal.follow("ann", "tally/1", 3) as events:
            assert await take(events, 2) == [4, 5]


async def test_a_follower_begins_now_unless_it_says_otherwise() -> None:
    async with open_journal(memory_store()) as journal:
        await publish(journal, 5)
        async with journal.follow("ann", "tally/1", None) as events:
            await publish(journal, 1)

            assert await take(events, 1) == [6]


async def test_a_stream_may_be_followed_before_it_begins() -> None:
    async with (
        open_journal(memory_store()) as journal,
        journal.follow("ann", "tally/1", 0) as events,
    ):
        await publish(journal, 1)

        assert await take(events, 1) == [1]


async def test_whole_events_arrive() -> None:
    async with (
        open_journal(memory_store()) as journal,
        journal.follow("ann", "tally/1", 0) as events,
    ):
        await journal.execute(add("tally/1", 5, by="bob", text="five"))
        event = await anext(events)

    assert (event.stream, event.by, event.data) == ("tally/1", "bob", Added(5, "five"))


async def test_a_batch_says_where_it_begins() -> None:
    async with open_journal(memory_store()) as journal:
        await publish(journal, BATCH_EVENTS_MAX + 5)
        async with journal.follow("ann", "tally/1", 3) as events:
            assert isinstance(events, Events)
            batches = [await events.batch(), await events.batch()]

    assert [(seq, numbers(bodies)) for seq, bodies in batches] == [
        (4, seqs(4, BATCH_EVENTS_MAX + 3)),
        (BATCH_EVENTS_MAX + 4, seqs(BATCH_EVENTS_MAX + 4, BATCH_EVENTS_MAX + 5)),
    ]


async def test_other_streams_do_not_arrive() -> None:
    async with (
        open_journal(memory_store()) as journal,
        journal.follow("ann", "tally/1", 0) as events,
    ):
        await publish(journal, 2, "tally/2")
        await journal.execute(add("tally/1", 5))

        assert (await anext(events)).stream == "tally/1"


async def test_a_follower_waits_until_there_is_something() -> None:
    async with open_journal(memory_store()) as journal, anyio.create_task_group() as tasks:
        got: list[int] = []

        async def read() -> None:
            got.extend(await take(events, 1))

        async with journal.follow("ann", "tally/1", 0) as events:
            tasks.start_soon(read)
            await anyio.wait_all_tasks_blocked()
            before = list(got)
            await publish(journal, 1)
            await anyio.wait_all_tasks_blocked()

            assert (before, got) == ([], [1])


async def test_a_follower_that_lags_behind_the_tail_reads_the_store() -> None:
    async with (
        open_journal(memory_store()) as journal,
        journal.follow("ann", "tally/1", 0) as events,
    ):
        await publish(journal, MANY)

        assert await take(events, MANY) == seqs(1, MANY)


@pytest.mark.parametrize("before", [0, 1, 2, 3])
async def test_who_follows_amid_a_batch_misses_nothing(before: int) -> None:
    async with open_journal(memory_store()) as journal:
        await publish(journal, 1)
        follower = Follower("ann", 0)
        calls: list[Call[int]] = [Call(add("tally/1", 1)) for _ in range(3)]
        calls.insert(before, journal.follow_call("ann", "tally/1", 1, follower))
        for call in calls:
            journal.submit(call)
        await publish(journal, 1)

        topic = journal.topic("tally/1")
        assert topic is not None
        events = Events(Tail("tally/1", topic, follower, journal.read), STREAMS.decode)
        assert await take(events, 4) == [2, 3, 4, 5]


async def test_many_followers_at_many_places_see_the_same() -> None:
    async with open_journal(memory_store()) as journal, AsyncExitStack() as stack:
        await publish(journal, 20)
        followers = [
            await stack.enter_async_context(journal.follow("ann", "tally/1", after))
            for after in range(21)
        ]
        await publish(journal, 5)

        for after, events in enumerate(followers):
            assert await take(events, 25 - after) == seqs(after + 1, 25)


# Whatever is published and read in between

Steps = Sequence[tuple[int, int]]
# Some are published, then some are read: few, a batch's worth, or more than the tail holds.
amounts = st.one_of(
    st.integers(0, 5),
    st.integers(BATCH_EVENTS_MAX - 2, BATCH_EVENTS_MAX + 2),
    st.integers(TAIL_EVENTS_MAX - 2, TAIL_EVENTS_MAX + 2),
    st.just(MANY),
)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@given(st.integers(0, 3_000), st.lists(st.tuples(amounts, amounts), max_size=5), st.data())
@example(history=0, steps=[(MANY, 3), (MANY, 2 * MANY)], data=None)
def test_there_is_no_gap_and_no_duplicate(
    backend: str, history: int, steps: Steps, data: Any
) -> None:
    after = data.draw(st.integers(0, history)) if data else 0

    got = anyio.run(_follow_through, history, after, steps, backend=backend)

    assert got == seqs(after + 1, history + sum(count for count, _ in steps))


async def _follow_through(history: int, after: int, steps: Steps) -> list[int]:
    stored = bodies(1, history)
    topic, follower = Topic(history), Follower("ann", after)
    topic.followers[follower] = None

    async def read(stream: str, after: int, limit: int) -> list[bytes]:
        await anyio.lowlevel.checkpoint()
        return stored[after : after + limit]

    events = Events(Tail("tally/1", topic, follower, read), STREAMS.decode)
    got: list[int] = []
    for count, reads in steps:
        new = bodies(len(stored) + 1, len(stored) + count)
        stored += new
        topic.publish(new)
        got += await take(events, min(reads, len(stored) - after - len(got)))
    return got + await take(events, len(stored) - after - len(got))


def bodies(first: int, last: int) -> list[bytes]:
    template = encode_event(Event("tally/1", 0, NOON, "ann", None, Added(1)))
    return [template.replace(b'"seq":0', b'"seq":%d' % seq) for seq in range(first, last + 1)]


# Coming and going


async def test_a_cancelled_follower_leaves_no_trace() -> None:
    async with open_journal(memory_store()) as journal, anyio.create_task_group() as tasks:

        async def read() -> None:
            async with journal.follow("ann", "tally/1", 0) as events:
                await anext(events)

        tasks.start_soon(read)
        await anyio.wait_all_tasks_blocked()
        topic = journal.topic("tally/1")
        assert topic is not None
        assert len(topic.followers) == 1
        tasks.cancel_scope.cancel()

    assert topic is not None
    assert not topic.followers


@pytest.mark.parametrize("gate", ["before_load", "before_commit"])
async def test_who_is_cancelled_while_coming_in_leaves_no_trace(gate: str) -> None:
    store = GatedStore()
    async with open_journal(store) as journal:
        if gate == "before_commit":
            await publish(journal, 1)
        getattr(store, gate).shut()

        async def read() -> None:
            async with journal.follow("ann", "tally/1", 0) as events:
                await anext(events)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(journal.execute, add("tally/1", 1))
            tasks.start_soon(read)
            await getattr(store, gate).reached()
            await anyio.wait_all_tasks_blocked()
            tasks.cancel_scope.cancel()
        store.open_all()
        await publish(journal, 1)

        topic = journal.topic("tally/1")
        assert topic is None or not topic.followers


async def test_who_is_cancelled_just_when_let_in_leaves_no_trace() -> None:
    async with open_journal(memory_store()) as journal:
        await publish(journal, 1)
        async with anyio.create_task_group() as tasks:

            async def read() -> None:
                async with journal.follow("ann", "tally/1", 0) as events:
                    await take(events, 2)

            tasks.start_soon(read)
            await anyio.lowlevel.checkpoint()
            # Decided in the same batch, just after it.
            cancel = tasks.cancel_scope.cancel
            journal.submit(Call(add("tally/1", 1), on_done=lambda call: cancel()))
            await anyio.sleep_forever()

        topic = journal.topic("tally/1")
        assert topic is None or not topic.followers


async def test_who_comes_back_finds_what_was_missed() -> None:
    async with open_journal(memory_store()) as journal:
        for last in range(3):
            async with journal.follow("ann", "tally/1", last) as events:
                await publish(journal, 1)

                assert await take(events, 1) == [last + 1]


async def test_topics_that_nobody_follows_do_not_pile_up() -> None:
    async with open_journal(memory_store()) as journal:
        for number in range(TOPICS_IDLE_MAX + 1):
            async with journal.follow("ann", f"tally/{number}", 0):
                pass

        kept = [n for n in range(TOPICS_IDLE_MAX + 1) if journal.topic(f"tally/{n}")]
        assert kept == seqs(1, TOPICS_IDLE_MAX)


async def test_a_topic_that_was_let_go_begins_anew() -> None:
    async with open_journal(memory_store()) as journal:
        for number in range(TOPICS_IDLE_MAX + 2):
            async with journal.follow("ann", f"tally/{number}", 0):
                pass
        await publish(journal, 3, "tally/0")

        async with journal.follow("ann", "tally/0", 0) as events:
            await publish(journal, 1, "tally/0")

            assert await take(events, 4) == [1, 2, 3, 4]


async def test_who_does_not_read_slows_nobody_and_takes_no_room() -> None:
    async with open_journal(memory_store()) as journal, AsyncExitStack() as stack:
        idle = await stack.enter_async_context(journal.follow("bob", "tally/1", 0))
        busy = await stack.enter_async_context(journal.follow("ann", "tally/1", 0))
        got: list[int] = []
        for _ in range(5):
            await publish(journal, TAIL_EVENTS_MAX)
            got += await take(busy, TAIL_EVENTS_MAX)

        topic = journal.topic("tally/1")
        assert topic is not None
        assert got == seqs(1, 5 * TAIL_EVENTS_MAX)
        assert topic.head - topic.base <= 2 * TAIL_EVENTS_MAX
        assert await take(idle, len(got)) == got


async def test_followers_are_told_that_the_hub_is_going_after_the_last_event() -> None:
    got: list[int] = []

    async def read(journal: Journal) -> None:
        async with journal.follow("ann", "tally/1", 0) as events:
            got.extend(await take_until(Closed, events))

    async with anyio.create_task_group() as tasks, open_journal(memory_store()) as journal:
        await publish(journal, 2)
        tasks.start_soon(read, journal)
        await anyio.wait_all_tasks_blocked()
        journal.submit(Call(add("tally/1", 1)))

    assert got == [1, 2, 3]


async def test_signals_are_passed_on_and_not_kept() -> None:
    heard: list[bytes] = []
    async with open_journal(memory_store()) as journal:
        async with journal.follow("ann", "tally/1", None, signal=heard.append):
            journal.signal(Signal("tally/1", "bob", "typing"))
            journal.signal(Signal("tally/2", "bob", "typing"))
        journal.signal(Signal("tally/1", "bob", "typing"))

    assert heard == [b'{"stream":"tally/1","by":"bob","type":"typing"}']
