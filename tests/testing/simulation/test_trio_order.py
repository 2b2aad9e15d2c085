"""The order of trio, by what trio keeps to itself."""

from __future__ import annotations

import pytest
import trio
import trio._core._run as trio_run
import trio.testing

from hubbub.testing.simulation import simulate, trio_order


def test_trio_is_as_before_after_a_run() -> None:
    before = trio_run._ALLOW_DETERMINISTIC_SCHEDULING, trio_run._r

    simulate(trio.lowlevel.checkpoint, backend="trio", seed=1)

    assert (trio_run._ALLOW_DETERMINISTIC_SCHEDULING, trio_run._r) == before


def test_a_trio_without_what_is_needed_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trio_order, "NEEDED", ("_r", "_gone"))

    with pytest.raises(RuntimeError, match="has no _gone"):
        simulate(trio.lowlevel.checkpoint, backend="trio", seed=1)


def test_waiting_for_all_tasks_to_block_comes_before_a_jump() -> None:
    async def times() -> list[float]:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep, 60)
            await trio.testing.wait_all_tasks_blocked()
            blocked = trio.current_time()
        return [blocked, trio.current_time()]

    assert simulate(times, backend="trio", seed=1) == [0, 60]
