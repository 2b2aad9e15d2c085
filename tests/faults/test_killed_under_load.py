"""
A process that is killed at any moment, under all kinds of commands at once, loses nothing.

``nox -s kill -- 100`` kills it 100 times on each event loop, at moments drawn from a seed.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from anyio import to_thread

import hubbub
from hubbub import Session
from hubbub.journal.event import Streams
from hubbub.journal.stores.integrity import integrity_faults
from hubbub.journal.stores.sqlite import SQLiteStore
from hubbub.journal.verify import Fault, verify
from tests.faults.doomed_load import BOARD, SETTINGS, SKU, STOCK, command, key_of
from tests.faults.killing import kill_within
from tests.features import STREAMS

KILLS = int(os.environ.get("HUBBUB_KILLS", "1"))
SEED = int(os.environ.get("HUBBUB_KILL_SEED") or Random().randrange(1 << 32))
# So many processes continue with one database, which grows; then a new one begins.
LIVES = 5
SECONDS_MAX = 1.0
SECONDS_PER_KILL_MAX = 60


class Life:
    """The acknowledgements of one process: where each user worked, and the commands by number."""

    def __init__(self, lines: list[list[str]]) -> None:
        self.places = {user: (kind, place) for kind, user, at, place in _long(lines) if at == "at"}
        self.acknowledged = dict.fromkeys(self.places, 0)
        for _, user, number in _short(lines):
            # A user's commands come one after the other.
            assert int(number) == self.acknowledged[user]
            self.acknowledged[user] += 1


def _long(lines: list[list[str]]) -> list[list[str]]:
    return [line for line in lines if len(line) == 4]


def _short(lines: list[list[str]]) -> list[list[str]]:
    return [line for line in lines if len(line) == 3]


@pytest.mark.timeout(60 + KILLS * SECONDS_PER_KILL_MAX)
async def test_nothing_acknowledged_is_lost_and_nothing_is_done_twice(
    tmp_path: Path, backend: str
) -> None:
    chance = Random(SEED)
    print(f"\nHUBBUB_KILL_SEED={SEED}")  # noqa: T201
    commands = 0
    for kill in range(KILLS):
        path = tmp_path / f"{kill // LIVES}.db"
        if kill % LIVES == 0:
            users = dict[str, Life]()
        seconds = chance.uniform(0.0, SECONDS_MAX)
        script = ("doomed_load.py", path, backend, kill % LIVES)
        life = Life(await to_thread.run_sync(kill_within, seconds, *script))
        users |= dict.fromkeys(life.places, life)
        commands += sum(life.acknowledged.values())
        assert await to_thread.run_sync(faults_of, path) == []
        await check(path, users, life)
    print(f"{KILLS} kills, {commands} acknowledged commands")  # noqa: T201


def faults_of(path: Path) -> list[Fault]:
    """Return what ``hubbub verify`` would print."""
    with closing(SQLiteStore(path)) as store:
        report = verify(store, Streams(STREAMS))
    return [*(Fault(*fault) for fault in integrity_faults(path)), *report.faults]


async def check(path: Path, users: Mapping[str, Life], last: Life) -> None:
    """Check every user's commands; repeat the last acknowledged one, and the one in flight."""
    async with hubbub.open(str(path), settings=SETTINGS) as hub:
        for user, (kind, place) in last.places.items():
            await repeat(hub, kind, user, place, last.acknowledged[user])
        done = await to_thread.run_sync(keys_by_user, hub)
        for user, life in users.items():
            assert done[user] >= life.acknowledged[user]
        await check_effects(hub, users, done)


async def repeat(hub: hubbub.Hubbub, kind: str, user: str, place: str, count: int) -> None:
    role = "admin" if kind == "stock" else "user"
    async with hub.session(user, role=role) as session:
        execute = command(session, kind, place)
        for number in {max(0, count - 1), count}:
            first = await execute(key_of(user, number))
            assert await execute(key_of(user, number)) == first


def keys_by_user(hub: hubbub.Hubbub) -> Counter[str]:
    """Count the keys that each user has used: a key is written with the events of its command."""
    found, after = Counter[str](), ("", "")
    while page := hub.journal.store.keys(after, 5_000):
        found.update(used.by for used in page)
        after = (page[-1].by, page[-1].key)
    return found


async def check_effects(hub: hubbub.Hubbub, users: Mapping[str, Life], done: Counter[str]) -> None:
    """Each key has counted once."""
    async with hub.session("host", role="admin") as host:
        said = Counter[str]()
        for user, life in users.items():
            kind, place = life.places[user]
            if kind == "chat" and place not in said:
                said += await messages_by_user(host, place)
                said[place] += 1
            elif kind == "match":
                assert (await host.games.match(place)).scores[user] == done[user]
            elif kind == "board":
                assert (await host.games.rank(BOARD, user)).score == done[user]
            elif kind == "cart":
                assert await in_cart(hub, user) == done[user]
        for user in users:
            if user.startswith("chat."):
                assert said[user] == done[user]
        sold = sum(count for user, count in done.items() if user.startswith("stock."))
        assert (await host.shop.product(SKU)).stock == STOCK - sold


async def in_cart(hub: hubbub.Hubbub, user: str) -> int:
    async with hub.session(user) as session:
        return sum(line.quantity for line in (await session.shop.cart()).lines)


async def messages_by_user(session: Session, room: str) -> Counter[str]:
    found, last = Counter[str](), 0
    while page := await session.chat.history(room, after=last, limit=500):
        found.update(message.by for message in page)
        last = page[-1].seq
    return found
