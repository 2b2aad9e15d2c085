"""A crash leaves a store with everything that it committed."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from hubbub.errors import StorageError
from hubbub.simulator.machine import Machine, MemoryMachine, SQLiteMachine
from hubbub.stores import Batch, Record, Store

BODY = (
    b'{"stream":"room/r","seq":%d,"at":"2026-01-01T00:00:00Z","by":"u","type":"message","text":"x"}'
)


def batch(seq: int) -> Batch:
    return Batch([Record("room/r", seq, "message", "u", None, BODY % seq)])


def fill(store: Store) -> None:
    for seq in range(1, 1000):
        store.commit(batch(seq))


def events(machine: Machine) -> int:
    return len(machine.look().records("room/r", 0, 100))


def test_what_was_committed_survives_a_crash() -> None:
    machine = MemoryMachine(Random(1))
    machine.open().commit(batch(1))

    machine.lose_power()
    machine.restore()

    assert len(machine.open().read("room/r", 0, 10)) == 1


def test_nothing_of_a_crashed_life_gets_through() -> None:
    machine = MemoryMachine(Random(1))
    dead = machine.open()
    machine.lose_power()

    with pytest.raises(StorageError, match="crashed"):
        dead.commit(batch(1))
    assert events(machine) == 0


def test_a_full_disk_can_be_read() -> None:
    machine = MemoryMachine(Random(1))
    store = machine.open()
    store.commit(batch(1))
    machine.fill(full=True)

    with pytest.raises(StorageError, match="full"):
        store.commit(batch(2))
    assert len(store.read("room/r", 0, 10)) == 1


def test_some_calls_of_a_failing_disk_fail() -> None:
    machine = MemoryMachine(Random(1))
    store = machine.open()
    machine.fail(failing=True)
    failed = 0
    for _ in range(100):
        try:
            store.read("room/r", 0, 1)
        except StorageError:
            failed += 1

    assert 20 < failed < 80


def test_a_database_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    with SQLiteMachine(Random(1), tmp_path) as machine:
        store = machine.open()
        for seq in range(1, 20):
            store.commit(batch(seq))
        machine.lose_power()
        with pytest.raises(StorageError):
            store.commit(batch(20))
        with pytest.raises(StorageError):
            store.close()
        machine.restore()
        again = machine.open()
        kept = events(machine)
        again.close()

    assert kept == 19


def test_a_database_on_a_full_disk_says_so_and_goes_on(tmp_path: Path) -> None:
    with SQLiteMachine(Random(1), tmp_path) as machine:
        store = machine.open()
        machine.fill(full=True)
        with pytest.raises(StorageError):
            fill(store)
        machine.fill(full=False)
        last = events(machine)
        store.commit(batch(last + 1))
        kept = events(machine)
        store.close()

    assert kept == last + 1


def test_a_database_that_fails_keeps_its_order(tmp_path: Path) -> None:
    with SQLiteMachine(Random(1), tmp_path) as machine:
        store = machine.open()
        machine.fail(failing=True)
        seq = failed = 0
        for _ in range(60):
            try:
                store.commit(batch(seq + 1))
                seq += 1
            except StorageError:
                failed += 1
        machine.fail(failing=False)
        kept = events(machine)
        store.close()

    assert failed
    assert kept == seq
