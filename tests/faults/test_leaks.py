"""
A server that was under load holds afterwards what it held before.

``nox -s leaks -- SECONDS`` runs it for so many seconds on each event loop.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import anyio
import pytest

import hubbub
from hubbub import Money, Settings
from hubbub.journal.decide.limits import LIMITS_MAX
from hubbub.journal.decide.states import USED_KEYS_MAX
from hubbub.journal.live.topic import TAIL_EVENTS_MAX
from hubbub.journal.live.topics import TOPICS_IDLE_MAX
from hubbub.journal.measures import RECENT_MAX, STREAMS_MAX
from hubbub.journal.shards import STREAM_SHARDS
from hubbub.journal.stores.sqlite import NUMBERS_MAX
from hubbub.quotas import KEYS_MAX
from hubbub.server.auth.tokens import VERIFIED_MAX
from tests.faults.census import Census, take_census
from tests.server.running import Running, running

SECONDS = float(os.environ.get("HUBBUB_LEAK_SECONDS") or 1.0)
# The first half of the rounds fills the caches; the others must leave what they found.
ROUNDS = 2 if SECONDS < 20 else 6
QUIET_SECONDS_MAX = 15.0
# SQLite caches 32 MiB of the database, which grows.
MEMORY_MAX = 60.0
# Worker threads that wait for more work, and the files of a database's readers.
THREADS_MAX = 10
FILES_MAX = 10

QUOTAS_MAX = 30
# The hub itself follows the shards of two schedules, and the queues.
TOPICS_MAX = TOPICS_IDLE_MAX + 2 * STREAM_SHARDS + 10

MANY = 1_000_000
SETTINGS = Settings(
    message_limit=MANY,
    requests_per_second=1e6,
    match_grace_seconds=0.3,
    match_idle_seconds=0.3,
    presence_grace_seconds=0.1,
    guests_per_address=MANY,
    creations_period=1.0,
)


# Caches and counts that grow with the users, each up to a bound of its own.
BOUNDED: Mapping[str, int] = {
    "IdempotencyRecord": USED_KEYS_MAX,
    "MeasuredBatch": RECENT_MAX,
    "Measures._streams": STREAMS_MAX,
    "Measures._streams_before": STREAMS_MAX,
    "Measures.recent": RECENT_MAX,
    "RateLimits._limits": QUOTAS_MAX * KEYS_MAX,
    "SQLiteStore._numbers": NUMBERS_MAX,
    "SlidingWindow": LIMITS_MAX,
    "SlidingWindow._times": LIMITS_MAX * 10,
    "Limits._limits": LIMITS_MAX,
    "States._used": USED_KEYS_MAX,
    "TokenBucket": QUOTAS_MAX * KEYS_MAX,
    "Tokens._verified": VERIFIED_MAX,
    "Topic": TOPICS_MAX,
    "Topic._tail": TOPICS_MAX * 2 * TAIL_EVENTS_MAX,
    "Topics._idle": TOPICS_MAX,
    "Topics._topics": TOPICS_MAX,
}
# Of a hub that is closed there is none.
OF_A_HUB = {"Hubbub", "Journal", "Gateway", "Connection", "StreamEntry", "Topic", "SQLiteStore"}
# They grow with the data: the open rooms, the entries of a board, the members of the last room.
DATA = {"IndexLinks.links", "IndexLinks.order", "Ranking._by_user", "RoomState.roles"}
# Some objects that a task has still in its hands.
SLACK = 10


@pytest.mark.skipif("HUBBUB_LEAK_SECONDS" not in os.environ, reason="nox -s leaks runs it")
@pytest.mark.timeout(120 + 3 * SECONDS)
async def test_nothing_is_left_behind(tmp_path: Path) -> None:
    before = take_census()
    visitors, found = await under_load(tmp_path / "hubbub.db")
    after = take_census()
    first, last = found[ROUNDS // 2 - 1], found[-1]
    print(  # noqa: T201
        f"\n{visitors} visitors in {SECONDS:.0f} s; memory in MiB after each round: "
        f"{', '.join(f'{one.memory:.1f}' for one in found)}; threads {last.threads}"
    )

    assert growth(first, last) == {}
    assert sum(last.tasks.values()) <= sum(first.tasks.values()) + SLACK
    assert last.threads <= first.threads + THREADS_MAX
    assert sum(last.files.values()) <= sum(first.files.values()) + FILES_MAX
    assert last.memory <= first.memory + MEMORY_MAX
    assert after.tasks == before.tasks
    assert after.files == before.files
    assert after.threads <= before.threads + THREADS_MAX
    assert {name for name in after.objects if name in OF_A_HUB} == set()
    assert sorted(os.listdir(tmp_path)) == ["hubbub.db", "hubbub.db.lock"]


async def under_load(path: Path) -> tuple[int, list[Census]]:
    """Serve some rounds of visitors; return how many came, and a census after each round."""
    visitors, found = 0, list[Census]()
    async with running(path, SETTINGS) as server:
        async with server.hub.session("shop", role="admin") as admin:
            await admin.shop.set_product("mouse", "Mouse", Money("1", "USD"), stock=MANY)
        for number in range(ROUNDS):
            visitors += await load(server, SECONDS / ROUNDS, number)
            await until_quiet(server)
            empty_caches(server.hub)
            found.append(take_census())
    return visitors, found


def growth(first: Census, last: Census) -> dict[str, tuple[int, int]]:
    """Return what has grown, and is above its bound if it has one: name -> before and after."""
    grown = dict[str, tuple[int, int]]()
    for before, after in ((first.objects, last.objects), (first.items, last.items)):
        for name, count in after.items():
            bound = BOUNDED.get(name, before.get(name, 0) + SLACK)
            if count > bound and name not in DATA:
                grown[name] = before.get(name, 0), count
    return grown


def empty_caches(hub: hubbub.Hubbub) -> None:
    """Evict every state that nothing uses, as a hub with more users does all the time."""
    states = hub.journal._states
    most, states._size_max = states._size_max, 0
    states.trim()
    states._size_max = most


async def load(server: Running, seconds: float, seed: int) -> int:
    """Let visitors come for some seconds; return how many came."""
    script = Path(__file__).with_name("visitors.py")
    command = [sys.executable, str(script), server.address, str(seconds), str(seed)]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = await anyio.run_process(command, env=env, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return int(done.stdout)


async def until_quiet(server: Running) -> None:
    """Wait until the server has noticed that all have gone."""
    gateway = server.gateway
    with anyio.fail_after(QUIET_SECONDS_MAX):
        while gateway.connections or gateway.event_streams or server.hub.presence.count:  # noqa: ASYNC110
            await anyio.sleep(0.05)
        await anyio.sleep(0.5)
