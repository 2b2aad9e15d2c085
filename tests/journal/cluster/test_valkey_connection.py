from __future__ import annotations

import gc
import sys
from collections.abc import Iterator

import anyio
import pytest
from coredis.connection import TCPLocation
from coredis.exceptions import ConnectionError as Disconnected
from coredis.exceptions import StalePrimaryError, UnknownCommandError

from hubbub.journal.cluster.valkey_connection import PrimaryConnection, ValkeyConnection
from hubbub.local_servers import ServerProcess
from hubbub.local_servers.server_process import free_port
from tests.journal.cluster.valkey_kit import one_server, password


@pytest.fixture
def replica(valkey: ServerProcess) -> Iterator[ServerProcess]:
    with one_server(replicaof=f"127.0.0.1 {valkey.port}") as server:
        yield server


async def test_a_connection_that_fails_leaves_nothing_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # It is called with each thing that was left open, as nobody could catch an error.
    left: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", left.append)
    with pytest.raises(Disconnected):
        await ValkeyConnection(TCPLocation("127.0.0.1", free_port())).run()
    gc.collect()

    assert left == []


async def test_a_command_that_is_refused_is_an_error_also_if_it_has_no_answer(
    valkey: ServerProcess,
) -> None:
    connection = ValkeyConnection(place(valkey), password=password(valkey))
    async with anyio.create_task_group() as tasks:
        await tasks.start(connection.run)
        connection.send_command(b"NO-SUCH-COMMAND")
        with anyio.fail_after(10), pytest.raises(UnknownCommandError):
            await connection.refusal()
        tasks.cancel_scope.cancel()


async def test_a_replica_is_refused_where_a_primary_is_needed(
    valkey: ServerProcess, replica: ServerProcess
) -> None:
    with pytest.raises(StalePrimaryError, match="is a slave"):
        await PrimaryConnection(place(replica), password=password(replica)).run()
    async with anyio.create_task_group() as tasks:
        await tasks.start(PrimaryConnection(place(valkey), password=password(valkey)).run)
        tasks.cancel_scope.cancel()


def place(server: ServerProcess) -> TCPLocation:
    return TCPLocation("127.0.0.1", server.port)
