from __future__ import annotations

import anyio
import pytest

from hubbub.server.sends import SEND_SECONDS_MAX, Sends
from hubbub.testing import run_in_virtual_time
from tests.event_loop import Backend


class Reader:
    """Notes that it was dropped; perhaps it fails then."""

    def __init__(self, *, fails: bool = False) -> None:
        self.gone = 0
        self.fails = fails

    def drop(self) -> None:
        self.gone += 1
        if self.fails:
            raise OSError("it is gone")


def test_only_the_slow_are_dropped_and_once(
    backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    bad, slow, quick, late = Reader(fails=True), Reader(), Reader(), Reader()

    async def send() -> None:
        sends = Sends()
        for reader in (bad, slow, quick):
            sends.begin(reader)
        sends.end(quick)
        await anyio.sleep(SEND_SECONDS_MAX - 1)
        sends.look()
        assert not slow.gone
        sends.begin(late)
        await anyio.sleep(1)
        sends.look()
        sends.look()

    run_in_virtual_time(send, backend=backend)

    assert [one.gone for one in (bad, slow, quick, late)] == [1, 1, 0, 0]
    assert caplog.text.count("could not disconnect a client") == 1
