from __future__ import annotations

import time
from random import Random

import pytest

import hubbub
from hubbub import StorageError
from hubbub.stores import Batch, MemoryStore, Record
from hubbub.testing import FaultyStore, InjectedFault, StoreFault, drawn_faults
from hubbub.testing.simulation import current_random


def batch(seq: int) -> Batch:
    return Batch([Record("s", seq, "said", "ann", None, b"{}")])


def written(store: MemoryStore) -> int:
    return store.last_place()


def test_the_commit_of_the_plan_fails_and_writes_nothing() -> None:
    inner = MemoryStore()
    store = FaultyStore(inner, {2: StoreFault("error")})
    store.commit(batch(1))

    with pytest.raises(StorageError, match=r"cannot be read or written\. Nothing"):
        store.commit(batch(2))
    assert written(inner) == 1
    store.commit(batch(2))
    assert written(inner) == 2


def test_a_full_disk_stays_full_until_there_is_room() -> None:
    inner = MemoryStore()
    store = FaultyStore(inner, {1: StoreFault("full")})

    for _ in range(2):
        with pytest.raises(StorageError, match="its disk is full"):
            store.commit(batch(1))
    with pytest.raises(StorageError, match="its disk is full"):
        store.check()
    assert store.read("s", 0, 10) == []
    store.free()
    store.check()
    store.commit(batch(1))
    assert written(inner) == 1


@pytest.mark.parametrize(("kind", "kept"), [("crash_before", 0), ("crash_after", 1)])
def test_after_a_crash_nothing_works(kind: str, kept: int) -> None:
    inner = MemoryStore()
    store = FaultyStore(inner, {1: StoreFault(kind)})  # type: ignore[arg-type]  # it is one of them

    with pytest.raises(StorageError, match="unknown"):
        store.commit(batch(1))
    with pytest.raises(StorageError, match="has crashed"):
        store.load("s")
    store.close()
    assert store.crashed
    assert written(inner) == kept


def test_a_test_can_let_it_crash() -> None:
    inner = MemoryStore()
    store = FaultyStore(inner, {})
    store.commit(batch(1))

    store.crash()

    with pytest.raises(StorageError, match="has crashed"):
        store.commit(batch(2))
    assert written(inner) == 1


def test_a_delayed_call_takes_longer() -> None:
    store = FaultyStore(MemoryStore(), {1: StoreFault("delay", 0.05)})

    begun = time.monotonic()
    store.commit(batch(1))

    assert time.monotonic() - begun >= 0.05


@pytest.mark.simulated(seeds=1)
async def test_in_a_simulation_a_delay_does_not_stop_the_world() -> None:
    store = FaultyStore(MemoryStore(), {1: StoreFault("delay", 3600.0)})

    async with hubbub.open(store=store) as hub, hub.session("ann"):
        pass

    assert [str(fault) for fault in store.faults] == ["commit 1: delay of 3600 s"]


def test_it_says_what_it_did() -> None:
    store = FaultyStore(
        MemoryStore(), lambda name, _n: StoreFault("error") if name == "load" else None
    )
    with pytest.raises(StorageError):
        store.load("s")

    assert store.faults == [InjectedFault("load", 1, StoreFault("error"))]
    assert str(store.faults[0]) == "load 1: error"


def faults_of(seed: int) -> list[InjectedFault]:
    plan = drawn_faults(
        Random(seed), errors=0.2, full=0.1, delays=0.1, crashes=0.02, delay_seconds_max=0
    )
    store = FaultyStore(MemoryStore(), plan)
    for _ in range(200):
        try:
            store.commit(batch(written_of(store) + 1))
        except StorageError:
            store.free()
    return store.faults


def written_of(store: FaultyStore) -> int:
    return store.store.last_place()


def test_a_seed_draws_the_same_faults_again() -> None:
    assert faults_of(1) == faults_of(1) != faults_of(2)
    assert {fault.fault.kind for fault in faults_of(1)} >= {"error", "full", "delay"}


def test_every_method_goes_to_the_wrapped_store() -> None:
    inner = MemoryStore()
    store = FaultyStore(inner, {})
    store.commit(batch(1))

    with store.reading():
        assert store.load("s") == inner.load("s")
    assert (store.journal_id, store.secret) == (inner.journal_id, inner.secret)
    assert store.read("s", 0, 9) == inner.read("s", 0, 9) == [b"{}"]
    assert store.about("s", 1, 1) == inner.about("s", 1, 1)
    assert store.taken_back("s", 0, 1) == inner.taken_back("s", 0, 1)
    assert store.page("s", "said", None, None, 9) == inner.page("s", "said", None, None, 9)
    assert store.count("s", "said", 0, "bob", 9) == 1
    assert store.used("ann", "key") is None
    assert store.search("s", ["x"], 9, 9) == []
    assert (store.catch_up(), store.expire(0)) == (False, False)
    assert list(store.streams()) == [("s", 1)]
    assert store.names("", "z", 9) == ["s"]
    assert len(store.committed(0, 9)) == store.last_place() == 1
    assert store.records("s", 0, 9) == inner.records("s", 0, 9)
    assert store.snapshots("", 9) == []
    assert store.keys(("", ""), 9) == []


@pytest.mark.simulated(seeds=20)
async def test_what_a_hub_has_acknowledged_is_there_after_a_crash() -> None:
    inner, acknowledged = MemoryStore(), 0
    store = FaultyStore(inner, drawn_faults(current_random(), errors=0.05, crashes=0.1))
    try:
        async with hubbub.open(store=store) as hub, hub.session("ann") as ann:
            room = await ann.chat.create_room("Lobby")
            for number in range(10):
                await ann.chat.send(room.id, str(number))
                acknowledged += 1
    except StorageError:
        assert store.faults
    if acknowledged == 0:
        return

    async with hubbub.open(store=inner) as hub, hub.session("ann") as ann:
        kept = [message.text for message in await ann.chat.history(room.id)]

    assert kept[:acknowledged] == [str(number) for number in range(acknowledged)]
    assert len(kept) <= acknowledged + 1
