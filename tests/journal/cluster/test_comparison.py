from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import cast

import anyio
import pytest

from hubbub.journal.cluster.bus import SHARDS
from hubbub.journal.cluster.comparison import HEADS_ASKED_MAX, NAMES_LOOKED_AT_MAX, StoreComparison
from hubbub.journal.cluster.frames import shard_of
from hubbub.journal.stores.sharing import SharedStore
from tests.journal.cluster.kit import SharedRecords, until


@asynccontextmanager
async def comparing(
    store: SharedRecords, followed: Mapping[str, int], behind: dict[str, int]
) -> AsyncGenerator[StoreComparison]:
    comparison = StoreComparison(cast(SharedStore, store), lambda: followed, behind.__setitem__)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(comparison.run)
        yield comparison
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize("blocking", [False, True])
async def test_streams_that_are_behind_are_told_with_the_seq_they_end_at(blocking: bool) -> None:
    store, behind = SharedRecords(), dict[str, int]()
    store.blocking = blocking
    store.written |= {"room/1": [b"x"] * 3, "room/2": [b"x"] * 2}
    async with comparing(store, {"room/1": 1, "room/2": 2, "room/3": 0}, behind) as comparison:
        comparison.mark(range(SHARDS))
        await until(lambda: behind != {})

    assert behind == {"room/1": 3}


async def test_only_the_streams_of_marked_shards_are_asked_for() -> None:
    store, behind = SharedRecords(), dict[str, int]()
    followed = {f"room/{n}": 0 for n in range(100)}
    for name in followed:
        store.written[name] += [b"x"]
    async with comparing(store, followed, behind) as comparison:
        comparison.mark([3])
        await until(lambda: behind != {})

    assert set(behind) == {name for name in followed if shard_of(name) == 3}
    assert store.asked == [len(behind)]


async def test_many_streams_are_asked_for_in_slices() -> None:
    store, behind = SharedRecords(), dict[str, int]()
    followed = {f"room/{n}": 0 for n in range(2 * NAMES_LOOKED_AT_MAX)}
    last = next(reversed(followed))
    store.written[last] += [b"x"]
    async with comparing(store, followed, behind) as comparison:
        comparison.mark([shard_of(last)])
        await until(lambda: behind == {last: 1})

    assert max(store.asked) == HEADS_ASKED_MAX
    assert sum(store.asked) == sum(shard_of(name) == shard_of(last) for name in followed)


async def test_a_stream_that_cannot_catch_up_hurts_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store, caught_up = SharedRecords(), list[str]()
    store.written |= {"room/1": [b"x"], "room/2": [b"x"]}

    def behind(stream: str, _: int) -> None:
        if stream == "room/1":
            raise ValueError
        caught_up.append(stream)

    comparison = StoreComparison(
        cast(SharedStore, store), lambda: {"room/1": 0, "room/2": 0}, behind
    )
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(comparison.run)
        comparison.mark(range(SHARDS))
        await until(lambda: caught_up == ["room/2"])
        tasks.cancel_scope.cancel()

    assert any("room/1 could not catch up" in line for line in caplog.messages)
