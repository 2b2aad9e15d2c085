"""The server on trio, where it is not the same as on asyncio."""

from __future__ import annotations

import errno
import socket
from typing import Any

import pytest

from tests.server.raw_client import connected
from tests.server.running import running


@pytest.fixture(autouse=True)
def _only_on_trio(request: pytest.FixtureRequest) -> None:
    if request.config.pluginmanager.has_plugin("asyncio"):
        pytest.skip("on asyncio uvicorn accepts")


async def test_when_there_are_no_descriptors_it_turns_away_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    errors = [errno.EMFILE, errno.ECONNABORTED]
    whole = socket.socket.accept

    def failing(self: socket.socket) -> Any:
        accepted = whole(self)
        if errors:
            accepted[0].close()
            raise OSError(errors.pop(), "none")
        return accepted

    monkeypatch.setattr(socket.socket, "accept", failing)
    async with running() as server:
        for _ in range(2):
            with pytest.raises(ConnectionError):
                async with connected(server.address, "ann"):
                    pass
        async with connected(server.address, "bob") as bob:
            assert "result" in await bob.ask("users.online")

    assert errors == []
    assert len([record for record in caplog.records if "descriptors" in record.message]) == 1
