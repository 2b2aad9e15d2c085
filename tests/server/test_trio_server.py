"""The server on trio, where it is not the same as on asyncio."""

from __future__ import annotations

import errno
import logging
from typing import Any

import anyio
import pytest
from trio._socket import _SocketType as SocketType  # noqa: TID251  # what it accepts with

from hubbub.server.http_connection import HttpConnection
from tests.server.raw_client import connected
from tests.server.running import running


@pytest.fixture(autouse=True)
def _only_on_trio(request: pytest.FixtureRequest) -> None:
    if request.config.pluginmanager.has_plugin("asyncio"):
        pytest.skip("on asyncio uvicorn accepts")


async def test_a_fault_of_ours_ends_one_connection(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with running() as server, connected(server.address, "ann") as ann:

        def feed(self: Any, data: bytes) -> None:
            raise ValueError("a fault of ours")

        with monkeypatch.context() as patch:
            patch.setattr(HttpConnection, "feed", feed)
            port = int(server.address.rpartition(":")[2])
            async with await anyio.connect_tcp("127.0.0.1", port) as stream:
                await stream.send(b"GET / HTTP/1.1\r\n")
                with (
                    anyio.fail_after(5),
                    pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)),
                ):
                    await stream.receive()

        assert "result" in await ann.ask("users.online")
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


async def test_when_there_are_no_descriptors_it_turns_away_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    errors = [errno.EMFILE, errno.ECONNABORTED]
    whole = SocketType.accept

    async def failing(self: Any) -> Any:
        accepted = await whole(self)
        if errors:
            accepted[0].close()
            raise OSError(errors.pop(), "none")
        return accepted

    monkeypatch.setattr(SocketType, "accept", failing)
    async with running() as server:
        for _ in range(2):
            with pytest.raises(ConnectionError):
                async with connected(server.address, "ann"):
                    pass
        async with connected(server.address, "bob") as bob:
            assert "result" in await bob.ask("users.online")

    assert errors == []
    assert len([record for record in caplog.records if "descriptors" in record.message]) == 1
