from __future__ import annotations

import math
import sys

import anyio
import pytest
from anyio.lowlevel import checkpoint

from hubbub.testing import Latencies, LoadResult, Sessions, Stopwatch, load


@pytest.mark.simulated(seeds=1)
async def test_each_user_does_it_once_and_every_operation_is_measured() -> None:
    async def waits(number: int, timed: Stopwatch) -> None:
        with timed("wait"):
            await anyio.sleep(number + 1)

    result = await load(100, waits)

    [wait] = result.operations
    assert (wait.operation, wait.count, wait.errors) == ("wait", 100, {})
    assert [wait.p50, wait.p95, wait.p99, wait.max] == pytest.approx([50, 95, 99, 100])
    assert (result.users, result.errors) == (100, 0)
    assert result.seconds == pytest.approx(100)


@pytest.mark.simulated(seeds=1)
async def test_users_begin_one_after_another_in_the_ramp() -> None:
    begun: list[float] = []

    async def begins(_number: int, _timed: Stopwatch) -> None:
        begun.append(anyio.current_time())

    await load(4, begins, ramp=8)

    assert [moment - begun[0] for moment in begun] == pytest.approx([0, 2, 4, 6])


@pytest.mark.simulated(seeds=1)
async def test_with_a_duration_users_begin_anew_until_it_ends() -> None:
    async def waits(_number: int, timed: Stopwatch) -> None:
        with timed("wait"):
            await anyio.sleep(3)

    result = await load(2, waits, duration=10)

    assert result.operations[0].count == 2 * 3
    assert result.seconds == pytest.approx(10)


@pytest.mark.simulated(seeds=1)
async def test_virtual_time_passes_though_a_behaviour_takes_none() -> None:
    async def is_quick(_number: int, timed: Stopwatch) -> None:
        with timed("nothing"):
            await checkpoint()

    result = await load(1, is_quick, duration=0.1)

    assert 90 <= result.operations[0].count <= 102


async def test_errors_are_counted_by_operation_and_class() -> None:
    async def fails(number: int, timed: Stopwatch) -> None:
        if number == 0:
            raise KeyError("outside")
        with timed("work"):
            raise ValueError if number == 1 else OSError

    result = await load(4, fails)

    outside, work = result.operations
    assert (outside.operation, outside.errors) == ("(not timed)", {"KeyError": 1})
    assert (work.count, work.errors) == (0, {"ValueError": 1, "OSError": 2})
    assert math.isnan(work.p50)
    assert result.errors == 4


async def test_users_of_a_hub_can_be_counted(session: Sessions) -> None:
    async def chats(number: int, timed: Stopwatch) -> None:
        user = await session(f"user-{number}")
        with timed("create a room"):
            await user.chat.create_room("Lobby")

    result = await load(10, chats)

    assert [(each.operation, each.count) for each in result.operations] == [("create a room", 10)]
    assert result.errors == 0


def test_the_result_is_a_table() -> None:
    send = Latencies("send", 12_000, {"RateLimited": 3, "Closed": 1}, 0.001, 0.0025, 0.01, 1.5)
    join = Latencies("join", 0, {}, math.nan, math.nan, math.nan, math.nan)

    assert str(LoadResult(500, 60.04, (join, send))).splitlines() == [
        "500 users in 60.0 s",
        "operation   count     p50     p95      p99         max  errors",
        "join            0",
        "send       12,000  1.0 ms  2.5 ms  10.0 ms  1,500.0 ms  1 Closed, 3 RateLimited",
    ]


async def test_a_terminal_shows_the_progress(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def works(_number: int, timed: Stopwatch) -> None:
        with timed("work"):
            await checkpoint()

    await load(2, works)
    assert capsys.readouterr().err == ""

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    await load(2, works)
    shown = capsys.readouterr().err

    assert shown.startswith("\r[")
    assert "2 operations, 0 errors\n" in shown
    assert f"[{'#' * 30}]" in shown
