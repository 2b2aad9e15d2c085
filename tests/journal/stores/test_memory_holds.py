from __future__ import annotations

import pytest

from hubbub.journal.stores.contract import Batch, Stale
from hubbub.journal.stores.memory_holds import HOLD_SECONDS_MAX, Locks, MemoryHold
from tests.journal.tally import SetClock


def locks_at(clock: SetClock) -> Locks:
    return Locks(clock.monotonic)


def take(locks: Locks, *names: str) -> MemoryHold:
    return locks.take(names, lambda batch: None)


def test_a_lock_has_one_holder() -> None:
    locks = locks_at(SetClock())
    first = take(locks, "a", "b")

    with pytest.raises(Stale):
        take(locks, "b", "c")
    # It has taken none of them.
    take(locks, "c")
    first.release()
    take(locks, "b")


def test_a_commit_lets_go() -> None:
    locks, written = locks_at(SetClock()), list[Batch]()
    locks.take(["a"], written.append).commit(Batch())

    take(locks, "a")
    assert len(written) == 1


def test_a_holder_who_is_late_loses_its_locks_to_the_next() -> None:
    clock = SetClock()
    locks, written = locks_at(clock), list[Batch]()
    late = locks.take(["a"], written.append)
    clock.seconds += HOLD_SECONDS_MAX
    take(locks, "a")

    with pytest.raises(Stale):
        late.commit(Batch())
    assert written == []


def test_a_holder_who_is_late_commits_if_nobody_wanted_its_locks() -> None:
    clock = SetClock()
    locks, written = locks_at(clock), list[Batch]()
    late = locks.take(["a"], written.append)
    clock.seconds += HOLD_SECONDS_MAX
    late.commit(Batch())

    assert len(written) == 1
