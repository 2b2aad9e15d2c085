"""Costs that must not grow with what there is: each once with little, and once with much."""

from __future__ import annotations

import gc
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import hubbub
from hubbub import Session, Settings
from hubbub.journal.decide.cache_entries import StreamEntry
from hubbub.journal.decide.limits import LIMITS_MAX, Limits
from hubbub.ratelimit import SlidingWindow
from tests.bench.games import rate_of
from tests.bench.open_board import games_of
from tests.bench.table import Row

__all__ = ["cold_rooms", "keys", "new_limits", "reactions", "snapshots"]

SETTINGS = Settings(
    message_limit=10**7, message_period=1.0, states_max=200_000, states_bytes_max=1 << 30
)
TIMES = 200
PAST_REACTIONS = (10, 10_000)
CURRENT_REACTIONS = (10, 900)
USED_KEYS = (100, 50_000)
WARM_ROOMS = 500
LIMITS = (1_000, LIMITS_MAX)
ROOMS = (1_000, 20_000)
PAGE = 500
MESSAGES = 200
ENTRIES = (20_000, 300_000)
SUBMITTERS = 20
SUBMISSIONS = 3_000
# A cost that does not grow is the same but for noise; one that grows is tens of times higher.
FLAT = 3.0


def _grown(what: str, backend: str, unit: str, costs: dict[int, float]) -> list[Row]:
    """Return each cost, and how it has grown."""
    (few, little), (many, much) = costs.items()
    return [
        Row(f"{what} {few:,}", backend, little, unit),
        Row(f"{what} {many:,}", backend, much, unit),
        Row(f"{what} {many:,}: times as much", backend, much / little, "", FLAT, most=True),
    ]


async def reactions(backend: str) -> list[Row]:
    """Measure a reaction to a message that has had many, and to a message that has many."""
    past, current = {}, {}
    for count in PAST_REACTIONS:
        async with _room() as (_, root, room):
            sent = await root.chat.send(room, "hello")
            for _ in range(count // 2):
                await _react(root, room, sent.seq)
            past[count] = await _median(partial(_react, root, room, sent.seq))
    for count in CURRENT_REACTIONS:
        async with _room() as (hub, root, room):
            sent = await root.chat.send(room, "hello")
            for number in range(count):
                async with hub.session(f"user{number}") as session:
                    await session.chat.join(room)
                    await session.chat.react(room, sent.seq, "👍")
            current[count] = await _median(partial(_react, root, room, sent.seq))
    rows = _grown("two reactions to a message that has had", backend, "ms", past)
    few, many = current.items()
    # The answer holds all of them, so it cannot be flat; a message has 1,000 at most.
    return [
        *rows,
        Row(f"two reactions to a message that has {few[0]:,}", backend, few[1], "ms"),
        Row(f"two reactions to a message that has {many[0]:,}", backend, many[1], "ms"),
    ]


async def keys(backend: str) -> list[Row]:
    """Measure commands in rooms that were in memory before others used very many keys."""
    took = {}
    for count in USED_KEYS:
        async with _room() as (_, root, room):
            warm = [(await root.chat.create_room("warm")).id for _ in range(WARM_ROOMS)]
            await _each(warm, lambda one: root.chat.send(one, "hello"))

            async def use(number: int, until: float, of: int = count) -> int:
                for key in range(number, of, 100):
                    await root.chat.send(room, "hello", key=str(key))
                return 0

            await rate_of(100, use, 0)
            took[count] = await _each(warm, lambda one: root.chat.send(one, "hello"))
    return _grown("a command in a warm room, used keys:", backend, "ms", took)


async def new_limits(backend: str) -> list[Row]:
    """Measure the first charge of a user, with many limits that still count."""
    took = {}
    for count in LIMITS:
        limits = Limits(lambda what: SlidingWindow(10, 60.0))
        for number in range(count):
            limits.charge("messages", [f"user{number}"])
        gc.collect()
        gc.freeze()
        times = []
        for number in range(2_000):
            start = time.perf_counter()
            limits.charge("messages", [f"other{number}"])
            times.append(time.perf_counter() - start)
        gc.unfreeze()
        # The highest but two: a scan now and then would not show in a median.
        took[count] = sorted(times)[-3] * 1e6
    return _grown("the slowest new rate limits, of", backend, "µs", took)


async def cold_rooms(backend: str) -> list[Row]:
    """Measure a page of rooms none of which is in memory, among few rooms and among many."""
    took = {}
    for count in ROOMS:
        async with _filled(count) as path:
            times = []
            async with hubbub.open(path, settings=SETTINGS) as hub, hub.session("ann") as ann:
                # The index itself is loaded by the first page.
                [first] = await ann.chat.rooms(limit=1)
                start = time.perf_counter()
                assert len(await ann.chat.rooms(after=first.id, limit=PAGE)) == PAGE
                times.append(time.perf_counter() - start)
            took[count] = statistics.median(times) * 1000
    busy = await _busy_rooms()
    return [
        *_grown(f"a page of {PAGE} cold rooms, of", backend, "ms", took),
        Row(f"a page of {PAGE} cold rooms with {MESSAGES} messages each", backend, busy, "ms"),
    ]


async def snapshots(backend: str) -> list[Row]:
    """Measure the slowest submissions while the snapshot of a board is written."""
    worst = {}
    for size in ENTRIES:
        with tempfile.TemporaryDirectory() as folder:
            async with hubbub.open(f"{folder}/bench.db", settings=SETTINGS) as hub:
                worst[size] = await _slowest_submission(hub, size)
    return _grown("p99.8 of submit while a snapshot is written, entries:", backend, "ms", worst)


async def _slowest_submission(hub: hubbub.Hubbub, size: int) -> float:
    chance, users, times = random.Random(1), iter(range(size)), list[float]()
    async with hub.session("root") as root:
        await root.games.create_board("bench", operator="latest")

    async def fill(number: int, until: float) -> int:
        for user in users:
            await games_of(hub, user).submit("bench", chance.randrange(10**9))
        return 0

    async def submit(number: int, until: float) -> int:
        for _ in range(SUBMISSIONS // SUBMITTERS):
            start = time.perf_counter()
            await games_of(hub, chance.randrange(size)).submit("bench", chance.randrange(10**9))
            times.append(time.perf_counter() - start)
        return 0

    await rate_of(1_000, fill, 0)
    entry = hub.journal._states.get("board/bench")
    assert isinstance(entry, StreamEntry)
    # As after as many submissions as the board has entries.
    entry.tail = size
    await rate_of(SUBMITTERS, submit, 0)
    assert entry.tail < size, "a snapshot was taken"
    return statistics.quantiles(times, n=500)[-1] * 1000


@asynccontextmanager
async def _room() -> AsyncIterator[tuple[hubbub.Hubbub, Session, str]]:
    with tempfile.TemporaryDirectory() as folder:
        opened = hubbub.open(f"{folder}/bench.db", settings=SETTINGS)
        async with opened as hub, hub.session("root", role="admin") as root:
            room = await root.chat.create_room("bench")
            yield hub, root, room.id


@asynccontextmanager
async def _filled(rooms: int, messages: int = 0) -> AsyncIterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        async with hubbub.open(f"{folder}/bench.db", settings=SETTINGS) as hub:

            async def make(number: int, until: float) -> int:
                async with hub.session(f"user{number}") as session:
                    for _ in range(number, rooms, 100):
                        room = await session.chat.create_room("room")
                        for _ in range(messages):
                            await session.chat.send(room.id, "x" * 50)
                return 0

            await rate_of(100, make, 0)
        yield f"{folder}/bench.db"


async def _busy_rooms() -> float:
    async with (
        _filled(PAGE, MESSAGES) as path,
        hubbub.open(path, settings=SETTINGS) as hub,
        hub.session("ann") as ann,
    ):
        start = time.perf_counter()
        assert len(await ann.chat.rooms(limit=PAGE)) == PAGE
        return (time.perf_counter() - start) * 1000


async def _react(session: Session, room: str, seq: int) -> None:
    await session.chat.react(room, seq, "❤️")
    await session.chat.unreact(room, seq, "❤️")


async def _each(items: list[str], work: Callable[[str], Awaitable[object]]) -> float:
    """Return the median of the milliseconds that each takes."""
    times = []
    for item in items:
        start = time.perf_counter()
        await work(item)
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


async def _median(work: Callable[[], Awaitable[object]]) -> float:
    return await _each([""] * TIMES, lambda _: work())
