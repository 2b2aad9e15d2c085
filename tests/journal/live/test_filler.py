from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import anyio
import pytest
from msgspec import DecodeError

from hubbub.errors import Overloaded, StorageError
from hubbub.journal.event import Streams
from hubbub.journal.live import filler as filler_module
from hubbub.journal.live.filler import FILL_EVENTS_MAX, FILL_STREAMS_MAX, Filler
from hubbub.journal.live.topic import Follower
from hubbub.journal.live.topics import Topics
from hubbub.journal.redaction import read_shown
from hubbub.journal.stores.contract import Batch, Store
from hubbub.journal.stores.memory import MemoryStore
from tests.journal.tally import STREAMS, record, seqs


class Filled:
    """Topics that were followed before anything was written, and the store that has it."""

    def __init__(self, streams: Sequence[str], events: int) -> None:
        self.store = MemoryStore()
        self.topics = Topics()
        self.heard: dict[str, list[int]] = {}
        self.reads = 0
        self.failures = 0
        for stream in streams:
            self.topics.attach(stream, Follower("ann", 0), 0)
            records = [record(stream, seq) for seq in seqs(1, events)]
            self.store.commit(Batch(records=records))
        self.filler = Filler(self.store, STREAMS, self.topics, self.run, self.hear)

    async def run(self, work: Callable[..., Any], *args: object) -> Any:
        await anyio.lowlevel.checkpoint()
        self.reads += 1
        if self.reads <= self.failures:
            raise StorageError("The store is away.")
        return work(*args)

    def hear(self, stream: str, first: int, bodies: Sequence[bytes]) -> None:
        self.heard.setdefault(stream, []).extend(range(first, first + len(bodies)))
        self.topics[stream].publish(bodies, first)

    async def fill(self, done: Callable[[], bool]) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.filler.run)
            with anyio.fail_after(10):
                while not done():  # noqa: ASYNC110  # the filler sets no event
                    await anyio.sleep(0.001)
            tasks.cancel_scope.cancel()


async def test_a_topic_gets_what_it_lacks_in_pages() -> None:
    events = FILL_EVENTS_MAX + 5
    filled = Filled(["tally/1"], events)
    filled.filler.behind("tally/1", events)
    await filled.fill(lambda: filled.topics["tally/1"].head == events)

    assert filled.heard == {"tally/1": seqs(1, events)}
    assert filled.reads == 2


async def test_many_topics_are_read_together() -> None:
    streams = [f"tally/{number}" for number in range(FILL_STREAMS_MAX + 1)]
    filled = Filled(streams, 1)
    for stream in streams:
        filled.filler.behind(stream, 1)
    await filled.fill(lambda: len(filled.heard) == len(streams))

    assert filled.reads == 2


async def test_no_stream_is_loaded_to_fill_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    filled = Filled(["tally/1", "tally/2"], 1)
    loaded = list[str]()

    def reading(streams: Sequence[str] = ()) -> AbstractContextManager[None]:
        loaded.extend(streams)
        return nullcontext()

    monkeypatch.setattr(filled.store, "reading", reading)
    for stream in ("tally/1", "tally/2"):
        filled.filler.behind(stream, 1)
    await filled.fill(lambda: len(filled.heard) == 2)

    assert loaded == []


async def test_a_stream_that_cannot_be_published_holds_up_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    filled = Filled(["tally/1", "tally/2"], 1)
    hear = filled.hear

    def fail(stream: str, first: int, bodies: Sequence[bytes]) -> None:
        if stream == "tally/1":
            raise ValueError(stream)
        hear(stream, first, bodies)

    filled.filler._hear = fail
    for streams in (["tally/1", "tally/2"], ["tally/1"]):
        for stream in streams:
            filled.filler.behind(stream, 1)
        await filled.fill(lambda: not filled.filler._behind)
    assert filled.topics["tally/2"].head == 1
    filled.filler._hear = hear
    filled.filler.behind("tally/1", 1)
    await filled.fill(lambda: filled.topics["tally/1"].head == 1)

    assert [record.getMessage() for record in caplog.records] == [
        "what other servers wrote to tally/1 cannot be shown"
    ]


async def test_a_stream_that_cannot_be_read_holds_up_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def read_some(
        store: Store, streams: Streams, stream: str, after: int, limit: int
    ) -> list[bytes]:
        if stream == "tally/1":
            raise DecodeError("damaged")
        return read_shown(store, streams, stream, after, limit)

    monkeypatch.setattr(filler_module, "read_shown", read_some)
    filled = Filled(["tally/1", "tally/2"], 1)
    for stream in ("tally/1", "tally/2"):
        filled.filler.behind(stream, 1)
    await filled.fill(lambda: filled.topics["tally/2"].head == 1)

    assert filled.heard == {"tally/2": [1]}
    assert [record.getMessage() for record in caplog.records] == [
        "what other servers wrote to tally/1 cannot be shown"
    ]


async def test_a_filler_that_starts_again_fills_what_is_left() -> None:
    filled = Filled(["tally/1"], 1)
    filled.filler.behind("tally/1", 1)
    filled.filler._run = raises
    with pytest.raises(Overloaded):
        await filled.filler.run()
    filled.filler._run = filled.run
    await filled.fill(lambda: filled.topics["tally/1"].head == 1)


async def raises(work: Callable[..., Any], *args: object) -> Any:
    raise Overloaded("Too many reads are waiting.")


async def test_a_store_that_is_away_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filler_module, "AGAIN_SECONDS", 0.001)
    filled = Filled(["tally/1"], 2)
    filled.failures = 3
    filled.filler.behind("tally/1", 2)
    await filled.fill(lambda: filled.topics["tally/1"].head == 2)

    assert filled.reads == 4


async def test_what_the_store_does_not_have_is_not_waited_for() -> None:
    filled = Filled(["tally/1"], 1)
    filled.filler.behind("tally/1", 5)
    await filled.fill(lambda: not filled.filler._behind)

    assert filled.topics["tally/1"].head == 1
