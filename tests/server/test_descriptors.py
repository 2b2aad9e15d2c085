"""File descriptors: how many there are, and none left."""

from __future__ import annotations

import errno
import logging
import os
import resource
import socket
from collections.abc import Iterator

import pytest

from hubbub import Settings
from hubbub.server.descriptors import (
    DESCRIPTORS_SPARE,
    EXHAUSTED,
    SpareDescriptor,
    within_descriptors,
)
from hubbub.server.places import Places


@pytest.fixture(autouse=True)
def _limit_as_before() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_process_gets_what_it_may_have() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard // 2, hard))
    within_descriptors(Settings(connections_max=1))

    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)


def test_there_are_descriptors_for_all_places(caplog: pytest.LogCaptureFixture) -> None:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    settings = within_descriptors(Settings(connections_max=most * 2))

    assert Places(settings).max <= most - DESCRIPTORS_SPARE
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("connections", "files", "level"),
    [
        (50_000, 4_096, logging.INFO),
        (5_000, 4_096, logging.WARNING),
        (50_000, 256, logging.WARNING),
    ],
)
def test_it_warns_if_anybody_will_miss_them(
    connections: int,
    files: int,
    level: int,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("hubbub.server.descriptors._raise_limit", lambda: files)
    with caplog.at_level(logging.INFO):
        within_descriptors(Settings(connections_max=connections))

    assert [record.levelno for record in caplog.records] == [level]


def test_fewer_connections_stay_as_they_are(caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(connections_max=10)

    assert within_descriptors(settings) is settings
    assert caplog.records == []


def test_without_descriptors_a_client_is_turned_away(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, SpareDescriptor() as spare:
        listener.setblocking(False)
        clients = [socket.create_connection(listener.getsockname(), 5) for _ in range(2)]
        full = fill_descriptors()
        with pytest.raises(OSError, match="Too many open files") as error:
            listener.accept()
        for _ in clients:
            spare.turn_away(listener, 0.0)
        ends = [client.recv(1) for client in clients]
        for descriptor in full:
            os.close(descriptor)
        for client in clients:
            client.close()

    assert error.value.errno in EXHAUSTED
    assert errno.EMFILE in EXHAUSTED
    assert ends == [b"", b""]
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def fill_descriptors() -> list[int]:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 20, hard))
    full = []
    try:
        while True:
            full.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        return full
