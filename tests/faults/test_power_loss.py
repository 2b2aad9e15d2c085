"""A machine that loses power keeps what was acknowledged."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from random import Random

import anyio
import msgspec
import pytest
from anyio import to_thread

import hubbub
from hubbub.errors import HubbubError, StorageError
from hubbub.journal.stores.sqlite import SQLiteStore
from hubbub.testing.simulation.disk import Disk
from hubbub.testing.simulation.host import Host
from tests.faults.power import (
    POWER_LOSSES,
    Loss,
    check_events,
    check_keys,
    commit_events,
    lose_power,
    write_keys,
)

SETTINGS = hubbub.Settings(message_limit=10_000)

Try = Callable[..., list[Loss]]


@pytest.fixture
def losses(tmp_path: Path) -> Try:
    """Lose power once for each seed."""

    def losses(write: Callable[[Path, Random], int], check: Callable[[Path], Loss]) -> list[Loss]:
        outcomes = []
        for seed in range(POWER_LOSSES):
            (directory := tmp_path / str(seed)).mkdir()
            outcomes.append(lose_power(directory, seed, write, check))
        return outcomes

    return losses


@pytest.mark.timeout(20 + POWER_LOSSES)
def test_no_acknowledged_event_is_lost(losses: Try) -> None:
    outcomes = losses(commit_events, check_events)

    assert [loss for loss in outcomes if loss.found < loss.acknowledged or loss.problem] == []
    assert max(loss.acknowledged for loss in outcomes) > 100


@pytest.mark.timeout(20 + POWER_LOSSES)
def test_without_syncing_each_commit_events_would_be_lost(losses: Try) -> None:
    outcomes = losses(partial(commit_events, synced=False), check_events)

    lost = [loss for loss in outcomes if loss.found < loss.acknowledged]
    assert len(lost) > len(outcomes) / 4
    assert [loss.problem for loss in outcomes if loss.problem] == []


@pytest.mark.timeout(20 + POWER_LOSSES)
def test_no_acknowledged_step_of_a_device_is_lost(losses: Try) -> None:
    outcomes = losses(write_keys, check_keys)

    assert [loss for loss in outcomes if loss.found < loss.acknowledged or loss.problem] == []
    assert max(loss.acknowledged for loss in outcomes) > 10


def test_the_power_may_go_again_and_again(tmp_path: Path) -> None:
    path, last = tmp_path / "hubbub.db", 0
    with Disk(Random(0), tmp_path) as disk:
        for seed in range(12):
            random = Random(seed)
            disk.lose_power(after=random.randrange(30))
            if not last:
                last = commit_events(path, random)
            else:
                with pytest.raises(StorageError):
                    check_until_dark(path)
            disk.restore()
            loss = check_events(path)
            assert loss.found >= last
            assert not loss.problem
            last = loss.found


def check_until_dark(path: Path) -> None:
    while True:
        check_events(path)


@pytest.mark.parametrize("steps", [0, 3, 10, 25, 60])
async def test_a_hub_keeps_the_messages_that_it_acknowledged(tmp_path: Path, steps: int) -> None:
    path, acknowledged = tmp_path / "hubbub.db", dict[str, int]()

    async def send(session: hubbub.Session, room: str, text: str) -> None:
        try:
            acknowledged[text] = (await session.chat.send(room, text)).seq
        except HubbubError:
            return

    with Disk(Random(steps), tmp_path) as disk:
        try:
            async with hubbub.open(str(path), settings=SETTINGS) as hub, hub.session("ann") as ann:
                room = (await ann.chat.create_room("Python Chat")).id
                disk.lose_power(after=steps)
                for number in count():
                    if not disk.has_power:
                        break
                    async with anyio.create_task_group() as tasks:
                        for sender in range(5):
                            tasks.start_soon(send, ann, room, f"{number} {sender}")
        except StorageError:
            pass
        await to_thread.run_sync(disk.restore)
        async with hubbub.open(str(path)) as hub, hub.session("ann") as ann:
            messages = await ann.chat.history(room, limit=200)

    said = {message.text: message.seq for message in messages}
    assert acknowledged.items() <= said.items()


@pytest.mark.parametrize("seed", range(3))
async def test_a_hub_that_crashes_again_and_again_keeps_what_it_acknowledged(
    tmp_path: Path, seed: int
) -> None:
    path, acknowledged = str(tmp_path / "hubbub.db"), set[str]()
    # While the next message is sent.
    crash_due = anyio.Semaphore(0)

    async def run(host: Host) -> None:
        async with (
            hubbub.open(path, settings=SETTINGS) as hub,
            hub.session("ann") as ann,
        ):
            room = (await ann.chat.create_room("Python Chat")).id
            for number in count():
                text = f"life {host.lives}: {number}"
                await ann.chat.send(room, text)
                acknowledged.add(text)
                if len(acknowledged) % 5 == seed:
                    crash_due.release()

    with Disk(Random(seed), tmp_path) as disk:
        host = Host("server", disk=disk)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(host.run, run)
            for _ in range(6):
                await crash_due.acquire()
                host.restart()
            tasks.cancel_scope.cancel()
        assert disk.stats.power_losses == 6
        found = await to_thread.run_sync(messages_in, path)

    assert acknowledged <= found


def messages_in(path: str) -> set[str]:
    """Return the texts of all messages, looking below the hub."""
    store = SQLiteStore(path)
    try:
        bodies = [body for stream, _ in store.streams() for body in store.read(stream, 0, -1)]
    finally:
        store.close()
    events = [msgspec.json.decode(body) for body in bodies]
    return {event["text"] for event in events if event["type"] == "message"}
