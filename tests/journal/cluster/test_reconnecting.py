from __future__ import annotations

from itertools import pairwise

import anyio
import pytest

from hubbub.journal.cluster.reconnecting import (
    RECONNECT_SECONDS_MAX,
    RECONNECT_SECONDS_MIN,
    first_of,
    keep_connected,
)
from hubbub.testing import run_in_virtual_time
from tests.event_loop import Backend


def test_each_failure_doubles_the_pause_and_a_connection_makes_it_short_again(
    backend: Backend,
) -> None:
    times, ended = list[float](), list[Exception | None]()

    async def connect() -> None:
        times.append(anyio.current_time())
        if len(times) != 8:
            raise ExceptionGroup("", [OSError(len(times))])

    def end(error: Exception | None) -> bool:
        ended.append(error)
        return error is None

    async def run() -> None:
        with anyio.move_on_after(12):
            await keep_connected(connect, end)

    run_in_virtual_time(run, backend=backend)
    pauses = [later - sooner for sooner, later in pairwise(times)]

    assert pauses[:6] == pytest.approx(
        [RECONNECT_SECONDS_MIN * 2**n for n in range(5)] + [RECONNECT_SECONDS_MAX]
    )
    assert pauses[7:9] == pytest.approx([RECONNECT_SECONDS_MIN, 2 * RECONNECT_SECONDS_MIN])
    assert isinstance(ended[0], OSError)
    assert ended[7] is None


def test_the_first_error_of_a_group_is_what_it_is_about() -> None:
    error = OSError()

    assert first_of(ExceptionGroup("", [ExceptionGroup("", [error, ValueError()])])) is error
