"""Two nodes that hold, and what ends a hold."""

from __future__ import annotations

import threading
from random import Random

import psycopg
import pytest

from hubbub.errors import StorageError
from hubbub.journal.stores.contract import Batch, Record, Stale, Used
from hubbub.journal.stores.postgres import store as store_module
from hubbub.journal.stores.postgres.store import PostgresStore
from hubbub.journal.stores.sharing import Wanted
from tests.journal.stores.postgres.conftest import OpenStore
from tests.journal.tally import record

ROOM = Wanted({"room/1": 0})
WRITERS = 3
SECONDS = 1.0
ROOMS = [f"room/{number}" for number in range(6)]


def test_a_node_waits_for_another_and_then_knows_what_that_wrote(
    store: PostgresStore, other: PostgresStore
) -> None:
    store.commit(Batch([record("room/1", 1)]))
    held, waited = store.hold(Wanted({"room/1": 1})), list[list[bytes]]()

    def wait() -> None:
        then = other.hold(Wanted({"room/1": 1}))
        waited.append(list(then.news.bodies["room/1"]))
        then.release()

    thread = threading.Thread(target=wait)
    thread.start()
    thread.join(0.05)
    assert not waited
    held.commit(Batch([record("room/1", 2)]))
    thread.join(5)

    assert waited == [[record("room/1", 2).body]]


def test_two_nodes_that_create_a_stream_do_not_both_write(
    store: PostgresStore, other: PostgresStore
) -> None:
    one, two = store.hold(ROOM), other.hold(ROOM)
    one.commit(Batch([record("room/1", 1, by="ann")]))
    with pytest.raises(Stale):
        two.commit(Batch([record("room/1", 1, by="bob")]))
    again = other.hold(ROOM)
    again.commit(Batch([record("room/1", 2, by="bob")]))

    assert [found.by for found in store.records("room/1", 0, 9)] == ["ann", "bob"]


def test_two_nodes_that_use_a_key_do_not_both_write(
    store: PostgresStore, other: PostgresStore
) -> None:
    used = Used("ann", "key", b"print", (("room/1", 1),))
    key = [("ann", "key")]
    one, two = store.hold(Wanted({"room/1": 0}, keys=key)), other.hold(Wanted({"room/2": 0}))
    one.commit(Batch([record("room/1", 1)], [used]))
    with pytest.raises(Stale):
        two.commit(Batch([record("room/2", 1)], [used]))
    held = other.hold(Wanted({"room/2": 0}, keys=key))
    held.release()

    assert held.news.used == {("ann", "key"): used}
    assert store.read("room/2", 0, 9) == []


def test_limits_are_locked_and_a_new_one_is_made_once(
    store: PostgresStore, other: PostgresStore
) -> None:
    limit = ("messages", "ann")
    wanted = Wanted(limits=[limit])
    one, two = store.hold(wanted), other.hold(wanted)
    one.commit(Batch(limits={limit: b"1"}))
    with pytest.raises(Stale):
        two.commit(Batch(limits={limit: b"1"}))
    again = other.hold(wanted)
    again.commit(Batch(limits={limit: b"2"}))

    assert again.news.limits == {limit: b"1"}
    assert store.news(wanted).limits == {limit: b"2"}


def test_a_hold_ends_once(store: PostgresStore) -> None:
    held = store.hold(ROOM)
    held.release()
    held.release()
    with pytest.raises(Stale):
        held.commit(Batch([record("room/1", 1)]))

    assert store.read("room/1", 0, 9) == []


def test_a_hold_that_is_kept_for_too_long_has_written_nothing(
    opened: OpenStore, database: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The server's own clock ends it, without the deadline of the whole transaction.
    monkeypatch.setattr(store_module, "TRANSACTION_SECONDS_MAX", 0)
    quick = {"idle_in_transaction_session_timeout": "50ms"}
    monkeypatch.setattr(store_module, "WRITING", store_module.WRITING | quick)
    slow = opened()
    held = slow.hold(ROOM)
    assert held._connection is not None
    pid = held._connection.raw.info.backend_pid
    while database.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]).fetchall():
        pass
    with pytest.raises(Stale):
        held.commit(Batch([record("room/1", 1)]))
    slow.hold(ROOM).commit(Batch([record("room/1", 1)]))

    assert len(slow.read("room/1", 0, 9)) == 1


def test_an_event_of_a_stream_that_is_not_held_is_not_written(store: PostgresStore) -> None:
    held = store.hold(ROOM)
    with pytest.raises(StorageError, match="Nothing"):
        held.commit(Batch([record("room/1", 1), record("room/2", 1)]))

    assert store.heads(["room/1", "room/2"]) == {}


def test_streams_that_many_write_to_have_no_gaps_and_every_write_once(opened: OpenStore) -> None:
    stores = [opened() for _ in range(WRITERS)]
    acknowledged: list[list[tuple[str, int, bytes]]] = [[] for _ in stores]
    ends = threading.Event()

    def write(number: int) -> None:
        random, heads = Random(number), dict.fromkeys(ROOMS, 0)
        while not ends.is_set():
            names = random.sample(ROOMS, 3)
            try:
                held = stores[number].hold(Wanted({name: heads[name] for name in names}))
                for name, bodies in held.news.bodies.items():
                    heads[name] += len(bodies)
                records = [
                    Record(name, heads[name] + 1, "added", str(number), None, b'"%d"' % len(mine))
                    for name in names
                    for mine in [acknowledged[number]]
                ]
                held.commit(Batch(records))
            except Stale:
                continue
            for written in records:
                heads[written.stream] = written.seq
                mine = acknowledged[number]
                mine.append((written.stream, written.seq, written.body))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    ends.wait(SECONDS)
    ends.set()
    for thread in threads:
        thread.join(10)

    stored = [found for name in ROOMS for found in stores[0].records(name, 0, 1 << 40)]
    for name in ROOMS:
        seqs = [found.seq for found in stored if found.stream == name]
        assert seqs == list(range(1, len(seqs) + 1))
    for number, mine in enumerate(acknowledged):
        theirs = [(r.stream, r.seq, r.body) for r in stored if r.by == str(number)]
        assert sorted(theirs) == sorted(mine)
        assert mine
    assert len(stores[1].committed(0, 1 << 40)) == len(stored)
