"""How the rate of commands depends on the number of rooms, and of followers: a table and a plot."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import anyio
import msgspec
from anyio.abc import TaskStatus

import hubbub
from hubbub import Session, Settings
from tests.bench.games import rate_of
from tests.bench.plot import plotted
from tests.bench.table import Row

__all__ = ["growth"]

ROOMS = (10, 1_000, 100_000)
FOLLOWERS = (1, 100, 10_000)
OWNERS = 1_000
CALLERS = 1_000
# Some callers at once, as in a lively room.
SPEAKERS = 64
TEXT = "x" * 128
# Of the rate with few rooms, what is left with very many: the states are in memory, and a batch
# writes to as many streams as it has commands.
ROOMS_SHARE = 0.3
# A server that is made for so many rooms, and one with the default settings, which has most of
# 100,000 rooms to load again.
DEFAULT = Settings(message_limit=10**7, message_period=1.0)
SIZED = msgspec.structs.replace(DEFAULT, states_max=200_000, states_bytes_max=1 << 30)


async def growth(backend: str, seconds: float, folder: Path) -> list[Row]:
    """
    Measure commands with more and more rooms, and with more and more followers of one room.

    Args:
        backend: asyncio or trio.
        seconds: how long each measurement takes.
        folder: the plots are written to it, as ``growth-rooms-BACKEND.svg`` and
            ``growth-followers-BACKEND.svg``.
    """
    sized, default = [], []
    for rooms in ROOMS:
        async with _with_rooms(rooms) as path:
            sized.append((rooms, await _to_any_room(path, SIZED, rooms, seconds)))
            default.append((rooms, await _to_any_room(path, DEFAULT, rooms, seconds)))
    spoken, delivered = [], []
    for followers in FOLLOWERS:
        rate = await _to_followers(followers, seconds)
        spoken.append((followers, rate))
        delivered.append((followers, rate * followers))
    curves = {"all rooms in memory": sized, "default settings": default}
    heading = f"Durable messages a second, {CALLERS:,} callers ({backend})"
    _write(folder, f"rooms-{backend}", plotted(heading, "rooms", "messages/s", curves))
    heading = f"One room, {SPEAKERS} callers ({backend})"
    curves = {"deliveries": delivered, "messages to all of them": spoken}
    _write(folder, f"followers-{backend}", plotted(heading, "followers", "a second", curves))
    return [
        *_rows("rooms in memory", backend, sized),
        Row("  of the rate with the fewest rooms", backend, _share(sized), "", ROOMS_SHARE),
        *_rows("rooms, default settings", backend, default),
        *_rows("followers", backend, spoken),
        *(Row(f"  deliveries to {n:,}", backend, rate, "/s") for n, rate in delivered),
    ]


def _rows(what: str, backend: str, curve: list[tuple[int, float]]) -> list[Row]:
    return [Row(f"messages with {n:,} {what}", backend, rate, "/s") for n, rate in curve]


def _share(curve: list[tuple[int, float]]) -> float:
    return curve[-1][1] / curve[0][1]


def _write(folder: Path, name: str, svg: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"growth-{name}.svg"
    path.write_text(svg)
    print(f"drew {path}", flush=True)


@asynccontextmanager
async def _with_rooms(rooms: int) -> AsyncIterator[str]:
    """Fill a database with rooms, each of which has one member."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/bench.db"
        async with hubbub.open(path, settings=SIZED) as hub:

            async def make(number: int, until: float) -> int:
                async with hub.session(f"user{number}") as session:
                    for _ in range(number, rooms, OWNERS):
                        await session.chat.create_room("room")
                return 0

            await rate_of(min(rooms, OWNERS), make, 0)
        yield path


async def _to_any_room(path: str, settings: Settings, rooms: int, seconds: float) -> float:
    """Let callers send to any of the rooms; return how many messages a second they send."""
    chance, owners = random.Random(1), min(rooms, OWNERS)
    async with hubbub.open(path, settings=settings) as hub, AsyncExitStack() as stack:
        sessions = list[Session]()
        for number in range(owners):
            sessions.append(await stack.enter_async_context(hub.session(f"user{number}")))
        listed = [await session.chat.rooms(joined=True, limit=500) for session in sessions]
        owned = [[room.id for room in page] for page in listed]

        async def send(number: int, until: float) -> int:
            session, mine = sessions[number % owners], owned[number % owners]
            count = 0
            while time.perf_counter() < until:
                await session.chat.send(chance.choice(mine), TEXT)
                count += 1
            return count

        return await rate_of(CALLERS, send, seconds)


async def _to_followers(followers: int, seconds: float) -> float:
    """Return how many messages a second come to all followers of a room."""
    sent, got, end = 0, 0, anyio.Event()
    began = ended = 0.0

    async def follow(session: Session, stream: str, *, task_status: TaskStatus[None]) -> None:
        nonlocal got
        async with session.follow(stream) as events:
            task_status.started()
            async for _ in events:
                got += 1
                if got == sent * followers:
                    end.set()

    with tempfile.TemporaryDirectory() as folder:
        opened = hubbub.open(f"{folder}/bench.db", settings=SIZED)
        async with opened as hub, hub.session("root") as root, anyio.create_task_group() as tasks:
            room = await root.chat.create_room("bench")
            for _ in range(followers):
                await tasks.start(follow, root, room.stream)

            async def speak(number: int, until: float) -> int:
                nonlocal sent, began
                began = began or time.perf_counter()
                while time.perf_counter() < until:
                    sent += 1
                    await root.chat.send(room.id, TEXT)
                return 0

            await rate_of(SPEAKERS, speak, seconds)
            # The last messages are still under way.
            while got < sent * followers:
                end = anyio.Event()
                await end.wait()
            ended = time.perf_counter()
            tasks.cancel_scope.cancel()
    return sent / (ended - began)
