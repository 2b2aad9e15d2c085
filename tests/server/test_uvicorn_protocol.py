"""The protocol class for uvicorn."""

from __future__ import annotations

import anyio
import pytest

import hubbub
from hubbub.server import Gateway, asyncio_socket
from hubbub.server.http.connection import HttpConnection
from hubbub.server.run import listen
from hubbub.server.uvicorn_protocol import UvicornProtocol, http_protocol
from tests.server.raw_client import connected
from tests.server.serving import serve_by_uvicorn


async def test_it_is_still_found_where_it_was() -> None:
    async with hubbub.open("memory://") as hub:
        made = asyncio_socket.http_protocol(Gateway(hub), "/ws")

        assert issubclass(made, UvicornProtocol)


async def test_each_gateway_has_a_class_of_its_own() -> None:
    async with hubbub.open("memory://") as hub:
        one, two = (http_protocol(Gateway(hub), path) for path in ("/ws", "/live/ws"))

    assert (one.path, two.path) == ("/ws", "/live/ws")
    assert one.shared is not two.shared


async def test_a_fault_when_a_connection_begins_ends_it_and_gives_its_place_back(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if not request.config.pluginmanager.has_plugin("asyncio"):
        pytest.skip("uvicorn runs on asyncio")

    def fail(_: HttpConnection) -> None:
        raise RuntimeError("a fault")

    async with hubbub.open("memory://") as hub, anyio.create_task_group() as tasks:
        with listen("127.0.0.1", 0) as listener:
            gateway = Gateway(hub)
            address = await tasks.start(serve_by_uvicorn, gateway, listener, anyio.sleep_forever)
            with monkeypatch.context() as patched:
                patched.setattr(HttpConnection, "begin", fail)
                with pytest.raises(ConnectionError):
                    async with connected(address):
                        pass
            assert gateway.places.count == 0
            assert len([one for one in caplog.records if one.exc_info]) == 1

            async with connected(address, "bob") as bob:
                assert "result" in await bob.ask("users.online")
            tasks.cancel_scope.cancel()
