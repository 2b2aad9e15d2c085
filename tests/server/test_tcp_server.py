"""Our own server accepts connections."""

from __future__ import annotations

import errno
import socket
from typing import Any

import anyio
import pytest

from hubbub.server.tcp_server import ACCEPTED_MAX
from tests.server.raw_client import connected
from tests.server.running import running
from tests.server.serving import only_own_server

pytestmark = only_own_server


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


async def test_it_accepts_more_than_it_takes_in_one_turn() -> None:
    async with running() as server:
        port = int(server.address.rpartition(":")[2])
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(ACCEPTED_MAX + 1)]
        with anyio.fail_after(5):
            while server.gateway.places.count < len(clients):  # noqa: ASYNC110
                await anyio.sleep(0.01)
        for client in clients:
            client.close()
        async with connected(server.address, "bob") as bob:
            assert "result" in await bob.ask("users.online")
