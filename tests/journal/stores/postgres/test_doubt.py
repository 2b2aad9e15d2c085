"""Commits whose answer is lost: the store finds out whether they were made."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from urllib.parse import urlsplit

import pytest

from hubbub.errors import StorageError
from hubbub.journal.stores.contract import Batch, Stale, Used
from hubbub.journal.stores.postgres import doubt
from hubbub.journal.stores.postgres.connection import PostgresConnection
from hubbub.journal.stores.postgres.doubt import DOUBT_SECONDS_MAX, was_committed
from hubbub.journal.stores.postgres.store import PostgresStore
from hubbub.journal.stores.sharing import Wanted
from hubbub.local_servers import ServerProcess, postgres_server
from tests.cluster.proxy import Network, network_to
from tests.journal.tally import record
from tests.local_servers.places import reachable


@contextmanager
def behind_a_network(url: str) -> Iterator[tuple[PostgresStore, Network]]:
    port = urlsplit(url).port or 0
    with network_to(port, Random(0)) as network:
        store = PostgresStore(url.replace(f":{port}/", f":{network.port}/"))
        yield store, network
        store.close()


def test_a_commit_that_did_not_arrive_is_decided_again(url: str, store: PostgresStore) -> None:
    with behind_a_network(url) as (cut, network):
        held = cut.hold(Wanted({"room/1": 0}))
        network.cut_next = "before"
        with pytest.raises(Stale):
            held.commit(Batch([record("room/1", 1)], [Used("ann", "k", b"", ())]))
        cut.hold(Wanted({"room/1": 0})).commit(Batch([record("room/1", 1)]))

    assert len(store.read("room/1", 0, 9)) == 1
    assert store.used("ann", "k") is None


def test_a_commit_whose_answer_is_lost_is_acknowledged(url: str, store: PostgresStore) -> None:
    with behind_a_network(url) as (cut, network):
        for seq in (1, 2):
            held = cut.hold(Wanted({"room/1": seq - 1}))
            network.cut_next = "after"
            held.commit(Batch([record("room/1", seq)]))

            assert network.cut_next == ""

    assert len(store.read("room/1", 0, 9)) == 2


def test_a_doubt_that_cannot_be_settled_in_time_says_so(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert DOUBT_SECONDS_MAX > 10
    monkeypatch.setattr(doubt, "RETRY_SECONDS", 0.001)
    tries = []

    def away() -> PostgresConnection:
        tries.append(1)
        raise StorageError("It is away.")

    with pytest.raises(StorageError, match="not known yet"):
        was_committed(away, 1, 1, 0.05)
    assert len(tries) > 2


@pytest.fixture
def server() -> Iterator[ServerProcess]:
    settings = {"fsync": "off"}
    with reachable() as directory, postgres_server(directory, settings=settings) as server:
        yield server


def test_a_server_that_is_killed_keeps_all_that_was_acknowledged(server: ServerProcess) -> None:
    store, acknowledged = PostgresStore(server.url), 0
    ends = threading.Event()

    def write() -> None:
        nonlocal acknowledged
        while not ends.is_set():
            try:
                store.commit(Batch([record("room/1", acknowledged + 1)]))
            except Stale:
                assert store.heads(["room/1"]).get("room/1", 0) == acknowledged
            except StorageError:
                # It is not back yet, and may not have been asked what became of the commit.
                time.sleep(0.01)
                continue
            else:
                acknowledged += 1

    writer = threading.Thread(target=write)
    writer.start()
    for _ in range(2):
        before = acknowledged
        while acknowledged < before + 20:
            time.sleep(0.001)
        server.kill()
        server.restart()
    before = acknowledged
    while acknowledged < before + 20:
        time.sleep(0.001)
    ends.set()
    writer.join(10)

    assert store.heads(["room/1"]) == {"room/1": acknowledged}
    assert len(store.read("room/1", 0, -1)) == acknowledged
    store.close()
