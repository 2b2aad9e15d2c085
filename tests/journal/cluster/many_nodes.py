"""Drawn programs for several nodes on one store, with faults of nodes, store and bus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any, cast

import anyio
from anyio.abc import TaskGroup

from hubbub.errors import HubbubError, StorageError
from hubbub.journal.cluster.memory_bus import MemoryBus
from hubbub.journal.command import Command
from hubbub.journal.decide.states import States
from hubbub.journal.event import Draft
from hubbub.journal.journal import Journal
from hubbub.journal.stores.memory import MemoryStore
from hubbub.journal.stores.memory_holds import HOLD_SECONDS_MAX
from hubbub.settings import Settings
from hubbub.stores import Hold, Wanted
from hubbub.testing import FaultyStore, drawn_faults
from hubbub.testing.faulty_store import FaultyHold
from hubbub.testing.simulation import current_random, eventually
from tests.journal.cluster.checker import History
from tests.journal.tally import (
    NOON,
    Added,
    SetClock,
    Tally,
    add,
    doubt,
    first_seq,
    move,
    open_journal,
    total,
)

__all__ = ["NodesClock", "run_nodes"]

NODES = 3
CALLERS = 4
CALLS = 6
STREAMS = ["tally/1", "tally/2", "tally/3"]
# How often a caller asks again, after an answer that does not say what happened.
TRIES = 4


class NodesClock(SetClock):
    """The event loop's time, which worker threads can read as well."""

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds)

    async def run(self) -> None:
        while True:
            self.seconds = anyio.current_time()
            await anyio.sleep(0.01)


class TroubledStore(FaultyStore):
    """A node's view of the store: calls fail, and it is stopped while it holds locks."""

    def __init__(self, store: MemoryStore, random: Random) -> None:
        super().__init__(store, drawn_faults(random, errors=0.02, crashes=0.01))
        self._random = random

    def hold(self, wanted: Wanted) -> Hold:
        hold = super().hold(wanted)
        if self._random.random() < 0.3:
            # As if it were stopped for so long before it goes on.
            held = cast(FaultyHold, hold)._hold
            held.since -= HOLD_SECONDS_MAX  # type: ignore[attr-defined]
        return hold


class LossyBus(MemoryBus):
    """Drops frames, and carries some twice."""

    def __init__(self, random: Random) -> None:
        super().__init__()
        self._random = random

    def publish(self, shard: int, frame: bytes) -> None:
        for _ in range(self._random.choice([0, 1, 1, 2])):
            super().publish(shard, frame)


def follow_up(source: str, target: str, *, by: str, key: str | None = None) -> Command[int]:
    """Write to one stream what another has, which only a lock on what is read keeps true."""

    def decide(states: States) -> Sequence[Draft]:
        states.need([source, target])
        return (Draft(target, Added(states.of(Tally, source).total + 1)),)

    return Command(by, decide, first_seq, reads=(source, target), key=key)


def charged(target: str, *, by: str, key: str | None = None) -> Command[int]:
    """Add to a stream; all callers together may do so only some times."""

    def decide(states: States) -> Sequence[Draft]:
        states.of(Tally, target)
        states.charge("numbers", "everybody")
        return (Draft(target, Added(1)),)

    return Command(by, decide, first_seq, key=key)


def draw(random: Random, by: str) -> Callable[[], Command[Any]]:
    source, target = random.sample(STREAMS, 2)
    key = by if random.random() < 0.5 else None
    kinds: list[Callable[[], Command[Any]]] = [
        partial(add, target, random.randint(1, 5), by=by, key=key, cold=random.random() < 0.5),
        partial(follow_up, source, target, by=by, key=key),
        partial(charged, target, by=by, key=key),
        partial(changed, partial(doubt, target, 1, by=by), by),
        partial(changed, partial(move, source, target, random.randint(1, 5), key=key), by),
        partial(changed, partial(total, target), by, reads=(target,)),
    ]
    return random.choice(kinds)


def changed(
    new_command: Callable[[], Command[Any]], by: str, reads: Sequence[str] = ()
) -> Command[Any]:
    command = new_command()
    command.by, command.reads = by, reads
    return command


async def run_nodes(store: MemoryStore, clock: NodesClock, *, troubled: bool = False) -> History:
    """Let callers send drawn commands to nodes, while followers of each node read along."""
    history, random, settings = History(), current_random(), Settings(clock=clock)
    bus = LossyBus(random) if troubled else MemoryBus()
    async with AsyncExitStack() as stack:
        nodes = [
            await stack.enter_async_context(
                open_journal(TroubledStore(store, random) if troubled else store, settings, bus)
            )
            for _ in range(NODES)
        ]
        followers = await stack.enter_async_context(anyio.create_task_group())
        followers.start_soon(clock.run)
        got = [follow_all(followers, node) for node in nodes]
        for stream in STREAMS:
            by = f"first-{stream}"
            await send(nodes, history, by, partial(add, stream, 9, by=by, key=by))
        async with anyio.create_task_group() as tasks:
            for caller in range(CALLERS):
                commands = [draw(random, f"{caller}-{call}") for call in range(CALLS)]
                tasks.start_soon(send_all, nodes, random, history, commands)
        await eventually(lambda: all_got_all(store, nodes, got), within=60)
        followers.cancel_scope.cancel()
    return history


def follow_all(tasks: TaskGroup, node: Journal) -> dict[str, list[int]]:
    got: dict[str, list[int]] = {stream: [] for stream in STREAMS}
    for stream, seqs in got.items():
        tasks.start_soon(follow, node, stream, seqs)
    return got


async def follow(node: Journal, stream: str, seqs: list[int]) -> None:
    while True:
        try:
            async with node.follow("reader", stream, len(seqs)) as events:
                async for event in events:
                    assert event.seq == len(seqs) + 1, "a follower missed an event"
                    seqs.append(event.seq)
        except StorageError:
            await anyio.sleep(0.5)


def all_got_all(store: MemoryStore, nodes: Sequence[Journal], got: Iterable[Any]) -> bool:
    heads = store.heads(STREAMS)
    return all(
        crashed(node) or {stream: len(seqs) for stream, seqs in streams.items() if seqs} == heads
        for node, streams in zip(nodes, got, strict=True)
    )


def crashed(node: Journal) -> bool:
    return isinstance(node.store, FaultyStore) and node.store.crashed


async def send_all(
    nodes: Sequence[Journal],
    random: Random,
    history: History,
    commands: Iterable[Callable[[], Command[Any]]],
) -> None:
    for new_command in commands:
        mine = random.sample(nodes, len(nodes))
        await send(mine, history, new_command().by, new_command)


async def send(
    nodes: Sequence[Journal], history: History, by: str, new_command: Callable[[], Command[Any]]
) -> None:
    sent = history.begin(by, new_command)
    for attempt in range(TRIES):
        node = nodes[attempt % len(nodes)]
        try:
            value = await node.execute(new_command())
        except StorageError:
            if new_command().key is None:
                # Whether it was written is not known.
                return
            await anyio.sleep(0.1)
        except HubbubError:
            history.end(sent, refused=True)
            return
        else:
            history.end(sent, value)
            return
