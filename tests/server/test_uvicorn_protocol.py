"""The protocol class for uvicorn."""

from __future__ import annotations

import logging
from typing import Any

import anyio
import pytest

import hubbub
from hubbub.server import Gateway, asyncio_socket
from hubbub.server.uvicorn_protocol import OpenTransports, UvicornProtocol, http_protocol
from tests.server.raw_client import connected
from tests.server.running import running


async def test_it_is_still_found_where_it_was() -> None:
    async with hubbub.open("memory://") as hub:
        made = getattr(asyncio_socket, "http_protocol")(Gateway(hub), "/ws")  # noqa: B009

        assert issubclass(made, UvicornProtocol)


async def test_each_gateway_has_a_class_of_its_own() -> None:
    async with hubbub.open("memory://") as hub:
        one, two = (http_protocol(Gateway(hub), path) for path in ("/ws", "/live/ws"))

    assert (one.path, two.path) == ("/ws", "/live/ws")
    assert one.transports is not two.transports


async def test_a_fault_of_ours_ends_one_connection(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    request: pytest.FixtureRequest,
) -> None:
    if not request.config.pluginmanager.has_plugin("asyncio"):
        pytest.skip("on trio there is no uvicorn")

    def feed(self: Any, data: bytes) -> None:
        raise ValueError("a fault of ours")

    async with running() as server, connected(server.address, "ann") as ann:
        monkeypatch.setattr("hubbub.server.http_connection.HttpConnection.feed", feed)
        port = int(server.address.rpartition(":")[2])
        async with await anyio.connect_tcp("127.0.0.1", port) as stream:
            await stream.send(b"GET / HTTP/1.1\r\n")
            with anyio.fail_after(5), pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
                await stream.receive()

        assert "result" in await ann.ask("users.online")
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


async def test_nothing_open_is_nothing_to_wait_for() -> None:
    with anyio.fail_after(1):
        await OpenTransports().end(60)
