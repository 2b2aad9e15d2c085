"""A client that vanishes without a word is noticed by pings, and its user goes offline."""

from __future__ import annotations

import anyio
import pytest
from anyio import to_thread

from hubbub.server import gateway
from tests.blackbox.raw import Raw
from tests.server.running import running

PATIENCE = 10.0
CLIENTS = 20


@pytest.fixture
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "PING_SECONDS", 0.2)


def come_and_vanish(port: int) -> None:
    """Sign clients in, and end their connections without a packet."""
    clients = [Raw(port) for _ in range(CLIENTS)]
    for client in clients:
        client.sign_in()
    try:
        for client in clients:
            client.vanish()
    except PermissionError:
        pytest.skip("only root can end a connection without a packet")
    finally:
        for client in clients:
            client.close()


@pytest.mark.usefixtures("_often")
async def test_clients_that_vanish_are_noticed_by_pings() -> None:
    async with running() as server:
        port = int(server.address.rpartition(":")[2])
        await to_thread.run_sync(come_and_vanish, port)
        left = len(server.gateway.connections)
        with anyio.fail_after(PATIENCE):
            while server.gateway.connections:  # noqa: ASYNC110
                await anyio.sleep(0.05)

    assert left == CLIENTS
