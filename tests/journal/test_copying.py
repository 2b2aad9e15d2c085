"""A journal is copied into another store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import anyio
import pytest

import hubbub
from hubbub.errors import Conflict
from hubbub.feature_set import FeatureSet
from hubbub.features import FEATURES
from hubbub.journal import copying
from hubbub.journal.copying import CopyTarget, copy_journal
from hubbub.journal.decide import cache_entries
from hubbub.journal.event import Streams
from hubbub.journal.stores.contract import Batch, Record, Snapshot, Store
from hubbub.journal.stores.memory import MemoryStore
from hubbub.journal.stores.postgres.store import PostgresStore
from hubbub.journal.stores.sqlite import SQLiteStore
from hubbub.journal.verify import verify
from tests.journal.stores.kinds import emptied

STREAMS = Streams(FeatureSet(FEATURES).streams)


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with messages that were edited, deleted and reacted to, keys and snapshots."""
    path = tmp_path_factory.mktemp("source") / "hubbub.db"
    settings = hubbub.Settings(message_limit=1_000)

    async def fill() -> None:
        async with (
            hubbub.open(str(path), settings=settings) as hub,
            hub.session("ann") as ann,
            hub.session("bob") as bob,
        ):
            room = await ann.chat.create_room("Lobby")
            await bob.chat.join(room.id)
            said = [await ann.chat.send(room.id, f"word{n}", key=f"k{n}") for n in range(70)]
            for message in said[:5]:
                await bob.chat.react(room.id, message.seq, "👍")
                await bob.chat.unreact(room.id, message.seq, "👍")
                await ann.chat.edit(room.id, message.seq, "another")
                await ann.chat.edit(room.id, message.seq, "third")
            await ann.chat.delete(room.id, said[6].seq)

    with pytest.MonkeyPatch.context() as patch:
        # Few events are enough for a snapshot then.
        patch.setattr(cache_entries, "SNAPSHOT_EVENTS_MIN", 16)
        anyio.run(fill)
    return path


@pytest.fixture
def source(db: Path) -> Iterator[SQLiteStore]:
    with closing(SQLiteStore(db)) as store:
        yield store


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CopyTarget]:
    with ExitStack() as stack:
        made: CopyTarget
        if request.param == "memory":
            made = MemoryStore()
        elif request.param == "sqlite":
            made = stack.enter_context(closing(SQLiteStore(tmp_path / "target.db")))
        else:
            made = stack.enter_context(closing(PostgresStore(emptied(request))))
        yield made


def snapshot_of(one: Snapshot) -> object:
    return one.stream, one.seq, one.at, one.body, tuple(one.parts)


def everything(store: Store) -> object:
    """Return what a store has, besides what it makes by itself."""
    heads = dict(store.streams())
    return (
        {stream: store.records(stream, 0, head) for stream, head in heads.items()},
        [(placed.place, placed.body) for placed in store.committed(0, 10_000)],
        {stream: store.about(stream, 1, head) for stream, head in heads.items()},
        {stream: store.taken_back(stream, 0, head) for stream, head in heads.items()},
        sorted(store.keys(("", ""), 10_000), key=lambda used: (used.by, used.key)),
        [snapshot_of(one) for one in store.snapshots("", 1_000)],
        (store.journal_id, store.secret),
    )


def test_everything_is_copied(
    source: SQLiteStore, target: CopyTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Several pages, whose borders lie anywhere.
    monkeypatch.setattr(copying, "COPIED_EVENTS_MAX", 7)
    before = everything(source)
    steps = list[tuple[int, int]]()
    report = copy_journal(source, target, lambda done, total: steps.append((done, total)))

    assert everything(target) == before == everything(source)
    assert report.copied == report.events == steps[-1][0] == steps[-1][1]
    assert report.keeps_places
    checked = verify(target, STREAMS)
    assert checked.faults == []
    assert (checked.streams, checked.events) == (report.streams, report.events)
    assert (checked.keys, checked.snapshots) == (report.keys, report.snapshots)
    assert report.snapshots >= 1
    assert report.keys >= 70


def test_a_copy_that_was_interrupted_continues(
    source: SQLiteStore, target: CopyTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "COPIED_EVENTS_MAX", 7)

    def interrupt(done: int, total: int) -> None:
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_journal(source, target, interrupt)
    there = target.last_place()
    report = copy_journal(source, target)
    again = copy_journal(source, target)

    assert 0 < report.copied == report.events - there
    assert again.copied == 0
    assert everything(target) == everything(source)


def test_a_target_with_another_journal_is_refused_and_not_changed(
    source: SQLiteStore, target: CopyTarget
) -> None:
    [name, *_] = [name for name, _ in source.streams() if name.startswith("room/")]
    [first] = source.records(name, 0, 1)
    target.commit(Batch(records=[Record(name, 1, first.type, "eve", None, first.body)]))
    target.adopt("own", "secret")

    with pytest.raises(Conflict, match="another journal"):
        copy_journal(source, target)
    assert dict(target.streams()) == {name: 1}
    assert target.journal_id == "own"


def test_a_target_with_a_stream_of_its_own_is_refused(
    source: SQLiteStore, target: CopyTarget
) -> None:
    [name, *_] = [name for name, _ in source.streams() if name.startswith("room/")]
    [first] = source.records(name, 0, 1)
    own = first.body.replace(name.encode(), b"room/own")
    target.commit(Batch(records=[Record("room/own", 1, first.type, first.by, None, own)]))

    with pytest.raises(Conflict, match="another journal"):
        copy_journal(source, target)


def test_a_source_that_is_written_to_is_told(source: SQLiteStore) -> None:
    copy = MemoryStore()
    copy_journal(source, copy)
    [name, *_] = [name for name, _ in copy.streams() if name.startswith("room/")]
    last = len(copy.records(name, 0, 10_000))
    [first] = copy.records(name, 0, 1)
    body = first.body.replace(b'"seq":1,', b'"seq":%d,' % (last + 1))

    def write(done: int, total: int) -> None:
        if len(copy.records(name, 0, 10_000)) == last:
            copy.commit(Batch(records=[Record(name, last + 1, first.type, "ann", None, body)]))

    with pytest.raises(Conflict, match="was written to"):
        copy_journal(copy, MemoryStore(), write)


def test_a_copy_has_bounded_transactions(source: SQLiteStore) -> None:
    assert (copying.COPIED_EVENTS_MAX, copying.COPIED_SNAPSHOTS_MAX) == (5_000, 20)
