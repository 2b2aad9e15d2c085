"""The server on trio, where it is not the same as on asyncio."""

from __future__ import annotations

import errno
from typing import Any

import anyio
import pytest
from trio._socket import _SocketType as SocketType  # noqa: TID251  # what it accepts with

import hubbub
from hubbub.server import Gateway
from hubbub.server.run import listen, serve
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


async def test_when_it_is_cancelled_it_closes_idle_connections() -> None:
    async with hubbub.open("memory://") as hub:
        gateway = Gateway(hub)
        with listen("127.0.0.1", 0) as listener:
            async with anyio.create_task_group() as tasks:
                address = await tasks.start(serve, gateway, listener, anyio.sleep_forever)
                async with connected(address, "ann") as ann, connected(address, "bob") as bob:
                    assert gateway.places.count == 2
                    tasks.cancel_scope.cancel()
                    with anyio.CancelScope(shield=True):
                        for client in (ann, bob):
                            with pytest.raises(ConnectionError):
                                await client.frame()

        assert (gateway.places.count, gateway.connections) == (0, {})
