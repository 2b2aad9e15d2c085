"""The content of the feed of a whole hub."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest
from anyio import to_thread

import hubbub
from hubbub import Closed, Conflict, Event, Settings
from hubbub.chat.events import Deleted, Said
from hubbub.journal import backup
from hubbub.journal.event import Streams, encode_event, tag_of
from hubbub.journal.journal import Journal
from hubbub.journal.live.feed import Feed
from hubbub.journal.stores.contract import Batch, PlacedEvent, Record
from tests.features import STREAMS
from tests.journal.tally import NOON, new_limit
from tests.journal.troubled import GatedStore

SECRET = "hunter2"
PASSWORD = "correct horse battery"


async def take_all(hub: hubbub.Hubbub, after: str = "") -> list[Event]:
    """Take what is there now."""
    async with hub.feed(after=None) as feed:
        end = feed.position
    found = list[Event]()
    async with hub.feed(after=after) as feed:
        while feed.position != end:
            found.append((await anext(feed))[1])
    return found


async def take_until(feed: Feed, tag: str) -> list[Event]:
    """Take events up to the next of a type."""
    found = list[Event]()
    with anyio.fail_after(10):
        while not found or tag_of(type(found[-1].data)) != tag:
            found.append((await anext(feed))[1])
    return found


@pytest.fixture(params=["memory", "sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "memory://" if request.param == "memory" else str(tmp_path / "hubbub.db")


async def test_it_has_all_that_happens_in_a_hub(url: str) -> None:
    async with hubbub.open(url) as hub, hub.session("ann") as ann:
        room = await ann.chat.create_room("Room", private=True)
        sent = await ann.chat.send(room.id, "hello")
        found = await take_all(hub)

    streams = {event.stream for event in found}
    assert {"user/ann", room.stream} <= streams
    assert (room.stream, sent.seq) in [(event.stream, event.seq) for event in found]


async def test_what_was_deleted_before_it_is_read_has_no_words(url: str) -> None:
    async with hubbub.open(url) as hub, hub.session("ann") as ann:
        room = await ann.chat.create_room("Room")
        sent = await ann.chat.send(room.id, SECRET)
        await ann.chat.edit(room.id, sent.seq, f"{SECRET}!")
        await ann.chat.delete(room.id, sent.seq)
        found = await take_all(hub)

    assert [tag_of(type(event.data)) for event in found][-3:] == ["message", "edited", "deleted"]
    assert SECRET not in str(found)


async def test_what_is_deleted_while_a_page_is_held_has_no_words(url: str) -> None:
    async with hubbub.open(url) as hub, hub.session("ann") as ann:
        room = await ann.chat.create_room("Room")
        async with hub.feed() as feed:
            await ann.chat.send(room.id, "first")
            sent = await ann.chat.send(room.id, SECRET)
            [first] = await take_until(feed, "message")
            held = len(feed._page)
            await ann.chat.delete(room.id, sent.seq)
            rest = await take_until(feed, "deleted")

    assert held == 2
    assert first.seq == sent.seq - 1
    assert [tag_of(type(event.data)) for event in rest] == ["message", "deleted"]
    assert SECRET not in str(rest)


class SlowStore(GatedStore):
    """A read takes a while."""

    def committed(self, after: int, limit: int) -> list[PlacedEvent]:
        found = super().committed(after, limit)
        self.before_read.go_through()
        return found


async def test_what_is_deleted_while_it_is_read_has_no_words() -> None:
    said, deleted = (
        Event("room/1", 1, NOON, "ann", None, Said(SECRET)),
        Event("room/1", 2, NOON, "ann", 1, Deleted()),
    )
    store, found = SlowStore(), list[Event]()
    store.commit(Batch([Record("room/1", 1, "message", "ann", None, encode_event(said))]))

    async def read() -> None:
        found.append((await anext(feed))[1])

    async with (
        Journal(store, Streams(STREAMS), Settings(), new_limit) as journal,
        journal.feeds.open("") as feed,
        anyio.create_task_group() as tasks,
    ):
        store.before_read.shut()
        tasks.start_soon(read)
        await store.before_read.reached()
        store.commit(Batch([Record("room/1", 2, "deleted", "ann", 1, encode_event(deleted))]))
        journal.feeds.tell([deleted])
        store.open_all()

    assert [event.data for event in found] == [Said("")]


async def test_what_is_deleted_all_the_time_makes_pages_short() -> None:
    settings = Settings(message_limit=10_000)
    async with hubbub.open("memory://", settings=settings) as hub, hub.session("ann") as ann:
        room = await ann.chat.create_room("Room")
        async with hub.feed() as feed:
            for number in range(200):
                await ann.chat.send(room.id, str(number))
            found, held = list[Event](), list[int]()
            for seq in range(3, 23):
                found.append((await anext(feed))[1])
                held.append(len(feed._page))
                await ann.chat.delete(room.id, seq)
            found += await take_until(feed, "deleted")

    assert held[0] == 200
    assert max(held[10:]) <= 2
    assert [event.seq for event in found] == list(range(found[0].seq, found[-1].seq + 1))


async def test_no_password_is_in_it(url: str) -> None:
    async with hubbub.open(url) as hub, hub.session("ann") as ann:
        await ann.users.create_account("Ann", PASSWORD)
        found = await take_all(hub)

    tags = [tag_of(type(event.data)) for event in found if event.stream.startswith("account/")]
    assert "account_created" in tags
    assert "argon2" not in str(found)
    assert PASSWORD not in str(found)


async def test_events_of_a_feature_that_is_left_out_are_passed_over(tmp_path: Path) -> None:
    path = str(tmp_path / "hubbub.db")
    fewer = [feature for feature in hubbub.FEATURES if feature.name != "chat"]
    async with hubbub.open(path) as hub, hub.session("ann") as ann:
        for name in ("One", "Two"):
            await ann.chat.create_room(name)
        whole = await take_all(hub)
    async with hubbub.open(path, features=fewer) as hub:
        async with hub.session("bob"):
            without = await take_all(hub)
        async with hub.feed(after="") as feed:
            await anext(feed)
            position = feed.position
    async with hubbub.open(path) as hub:
        again = await take_all(hub, position)

    assert any(event.stream.startswith("room/") for event in whole)
    assert not any(event.stream.startswith("room/") for event in without)
    assert [event.stream for event in without if event.stream == "user/bob"]
    assert again[: len(whole) - 1] == whole[1:]


async def test_a_database_that_was_restored_has_other_positions(tmp_path: Path) -> None:
    path, copy, other = (tmp_path / name for name in ("hubbub.db", "copy.db", "other.db"))
    async with hubbub.open(str(path)) as hub, hub.session("ann"), hub.feed(after=None) as feed:
        position = feed.position
    await to_thread.run_sync(backup.backup, path, copy)
    await to_thread.run_sync(backup.restore, copy, other)
    async with hubbub.open(str(other)) as hub:
        with pytest.raises(Conflict, match="start again"):
            await hub.feed(after=position).__aenter__()
        found = await take_all(hub)

    assert [event.stream for event in found][:1] == ["user/ann"]


async def test_a_hub_that_is_not_open_has_no_feed() -> None:
    hub = hubbub.open("memory://")
    with pytest.raises(Closed):
        hub.feed()
    async with hub:
        pass
    with pytest.raises(Closed):
        hub.feed()


async def test_a_feed_ends_when_the_hub_is_left(url: str) -> None:
    found = list[Event]()

    async def read(hub: hubbub.Hubbub, started: anyio.Event) -> None:
        with pytest.raises(Closed):
            await read_on(hub, started, found)

    async with anyio.create_task_group() as tasks, hubbub.open(url) as hub:
        started = anyio.Event()
        tasks.start_soon(read, hub, started)
        await started.wait()
        async with hub.session("ann"):
            pass

    assert [event.stream for event in found][:1] == ["user/ann"]


async def read_on(hub: hubbub.Hubbub, started: anyio.Event, found: list[Event]) -> None:
    async with hub.feed() as feed:
        started.set()
        async for _, event in feed:
            found.append(event)
