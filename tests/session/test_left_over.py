"""The data of a feature stays in the database when a hub is opened without that feature."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path

import anyio
import apsw
import pytest

import hubbub
import hubbub.hub
from hubbub import FEATURES, Feature, Hubbub, KeyReused, NotFound, Session
from hubbub.feature_set import FeatureSet
from hubbub.journal.backup import backup, restore
from hubbub.journal.event import Streams
from hubbub.journal.stores.contract import Store
from hubbub.journal.stores.memory import MemoryStore
from hubbub.journal.stores.sqlite import SQLiteStore
from hubbub.journal.verify import Report, verify
from tests.helpdesk import TICKETS, Answered, Opened, Shown, Tickets
from tests.session.worlds import PATIENCE

MORE = [*FEATURES, TICKETS]
OpenHub = Callable[[Sequence[Feature]], AbstractAsyncContextManager[Hubbub]]


@pytest.fixture(params=["memory", "sqlite"])
def open_hub(request: pytest.FixtureRequest, tmp_path: Path) -> OpenHub:
    """Open a hub, again and again, on the same store."""
    if request.param == "memory":
        return partial(opened, MemoryStore())
    return partial(opened, tmp_path / "hub.db")


@asynccontextmanager
async def opened(where: Path | MemoryStore, features: Sequence[Feature]) -> AsyncIterator[Hubbub]:
    if isinstance(where, Path):
        opening = hubbub.open(str(where), features=features)
    else:
        opening = hubbub.open(store=where, features=features)
    async with opening as hub:
        yield hub


async def fill(open_hub: OpenHub) -> Shown:
    """Open a ticket, and a room, of somebody's; both are linked with them."""
    async with open_hub(MORE) as hub, hub.session("ann") as ann:
        room = await ann.chat.create_room("Lobby")
        await ann.chat.send(room.id, "hello world")
        ticket = await ann.service(Tickets).open("Help", key="one")
        return await ann.service(Tickets).answer(ticket.stream, "call the fire brigade")


async def test_its_streams_are_not_there(open_hub: OpenHub) -> None:
    ticket = await fill(open_hub)
    async with open_hub(FEATURES) as hub, hub.session("ann") as ann:
        with pytest.raises(NotFound, match="There is no stream 'ticket/"):
            await ann.read(ticket.stream)
        with pytest.raises(NotFound):
            async with ann.follow(ticket.stream, after=0):
                pass
        with pytest.raises(NotFound):
            async with ann.signals(ticket.stream):
                pass


async def test_a_user_s_links_to_them_hurt_nothing(open_hub: OpenHub) -> None:
    ticket = await fill(open_hub)
    async with open_hub(FEATURES) as hub, hub.session("ann") as ann:
        links = [getattr(event.data, "to", None) for event in await ann.read("user/ann")]
        rooms = [room.name for room in await ann.chat.rooms()]
        directs, unread = await ann.chat.directs(), await ann.chat.unread()
        matches, orders = await ann.games.matches(), await ann.shop.orders()

    assert ticket.stream in links
    assert rooms == ["Lobby"]
    assert (directs, matches, orders) == ([], [], [])
    assert list(unread.values()) == [0]


async def test_presence_is_told_all_the_same(open_hub: OpenHub) -> None:
    await fill(open_hub)
    async with open_hub(FEATURES) as hub, hub.session("bob") as bob:
        [room] = await bob.chat.rooms()
        await bob.chat.join(room.id)
        with anyio.fail_after(PATIENCE):
            async with bob.signals(room.stream) as signals, hub.session("ann"):
                told = [await anext(aiter(signals))]
                while told[-1].by != "ann":
                    told.append(await anext(aiter(signals)))

    assert (told[-1].type, told[-1].body) == ("presence", {"status": "online"})


async def test_texts_are_found_and_taken_back(open_hub: OpenHub) -> None:
    await fill(open_hub)
    async with open_hub(FEATURES) as hub, hub.session("ann") as ann:
        [room] = await ann.chat.rooms()
        await ann.chat.send(room.id, "hello again")
        found = [message.text for message in await ann.chat.search(room.id, "hello")]
        others = await ann.chat.search(room.id, "brigade")
        [first, _] = await ann.chat.history(room.id)
        await ann.chat.delete(room.id, first.seq)
        shown = await ann.read(room.stream)

    assert found == ["hello again", "hello world"]
    assert others == []
    assert "hello world" not in [getattr(event.data, "text", "") for event in shown]


async def test_the_feed_passes_them_over(open_hub: OpenHub) -> None:
    async def kinds(features: Sequence[Feature]) -> list[str]:
        async with open_hub(features) as hub, hub.feed(after="") as feed:
            async with hub.session("bob") as bob:
                await bob.chat.create_room("The last")
            found: list[str] = []
            async for _, event in feed:
                found.append(event.stream.partition("/")[0])
                if getattr(event.data, "name", None) == "The last":
                    break
        return found

    await fill(open_hub)
    without, known = await kinds(FEATURES), await kinds(MORE)

    assert "ticket" not in without
    assert without.count("room") >= 3
    assert known.count("ticket") == 2


async def test_a_key_that_it_has_used_stays_used(open_hub: OpenHub) -> None:
    await fill(open_hub)
    async with open_hub(FEATURES) as hub, hub.session("ann") as ann:
        [room] = await ann.chat.rooms()
        with pytest.raises(KeyReused):
            await ann.chat.send(room.id, "hello", key="one")


async def test_with_the_feature_all_is_there_again(open_hub: OpenHub) -> None:
    ticket = await fill(open_hub)
    async with open_hub(FEATURES) as hub, hub.session("ann") as ann:
        await ann.chat.create_room("Another")
    async with open_hub(MORE) as hub, hub.session("ann") as ann:
        again = await ann.service(Tickets).get(ticket.stream)
        same = await ann.service(Tickets).open("Help", key="one")
        said = [event.data for event in await ann.read(ticket.stream)]

    assert again == ticket
    assert same.stream == ticket.stream
    assert said == [Opened("Help"), Answered("call the fire brigade")]


@pytest.mark.parametrize("name", ["chat", "games", "shop"])
async def test_our_own_features_come_and_go_as_well(open_hub: OpenHub, name: str) -> None:
    async def use(session: Session) -> list[object]:
        """The data of each feature."""
        return [
            [room.name for room in await session.chat.rooms()],
            [match.id for match in await session.games.matches()],
            [line.sku for line in (await session.shop.cart()).lines],
        ]

    async with (
        open_hub(FEATURES) as hub,
        hub.session("ann", role="admin") as ann,
        hub.session("bob"),
    ):
        await ann.chat.create_room("Lobby")
        await ann.games.start_match(["ann", "bob"])
        await ann.shop.set_product("mug", "Mug", hubbub.Money("1", "USD"), stock=3)
        await ann.shop.add_item("mug")
        before = await use(ann)
    without = [feature for feature in FEATURES if feature.name != name]
    async with open_hub(without) as hub, hub.session("ann") as ann, hub.session("bob"):
        online = {user.id for user in await ann.users.online()}
    async with open_hub(FEATURES) as hub, hub.session("ann", role="admin") as ann:
        after = await use(ann)

    assert online == {"ann", "bob"}
    assert after == before
    assert all(before)


# What looks at everything


def verified(store: Store, features: Sequence[Feature]) -> Report:
    return verify(store, Streams(FeatureSet(features).streams))


def filled(path: Path) -> Shown:
    return anyio.run(fill, partial(opened, path))


def report_of(path: Path, features: Sequence[Feature]) -> Report:
    store = SQLiteStore(path)
    try:
        return verified(store, features)
    finally:
        store.close()


async def test_it_is_verified_in_memory() -> None:
    store = MemoryStore()
    await fill(partial(opened, store))

    assert verified(store, FEATURES).skipped == {"ticket": 1}
    assert verified(store, MORE).skipped == {}


def test_verify_counts_what_it_skips_as_no_fault(tmp_path: Path) -> None:
    filled(tmp_path / "hub.db")
    without = report_of(tmp_path / "hub.db", FEATURES)
    known = report_of(tmp_path / "hub.db", MORE)

    assert (without.faults, without.skipped) == ([], {"ticket": 1})
    assert (known.faults, known.skipped) == ([], {})
    assert (known.streams, known.events) == (without.streams + 1, without.events + 2)
    assert known.keys == without.keys == 1


def test_verify_checks_it_when_the_feature_is_given(tmp_path: Path) -> None:
    path, ticket = tmp_path / "hub.db", filled(tmp_path / "hub.db")
    damage(
        path,
        "DELETE FROM event WHERE seq = 1 AND stream = (SELECT number FROM stream"
        " WHERE name LIKE 'ticket/%')",
    )
    [gap] = report_of(path, MORE).faults

    assert report_of(path, FEATURES).faults == []
    assert (gap.where, gap.what) == (f"{ticket.stream}, event 2", "event 1 is missing before it")


def test_what_cannot_even_be_skipped_is_a_fault(tmp_path: Path) -> None:
    filled(tmp_path / "hub.db")
    damage(
        tmp_path / "hub.db",
        "UPDATE event SET body = x'7b' WHERE seq = 1 AND stream = (SELECT"
        " number FROM stream WHERE name LIKE 'ticket/%')",
    )
    fault = report_of(tmp_path / "hub.db", FEATURES).faults[0]

    assert fault.where.startswith("ticket/")
    assert fault.what.startswith("it cannot be read")


def test_progress_ends_with_all_that_is_read(tmp_path: Path) -> None:
    filled(tmp_path / "hub.db")
    told: list[tuple[int, int]] = []
    store = SQLiteStore(tmp_path / "hub.db")
    streams = Streams(FeatureSet(FEATURES).streams)
    report = verify(store, streams, lambda done, total: told.append((done, total)))
    store.close()

    assert told[-1] == (report.events, report.events)


def test_a_copy_has_it_as_well(tmp_path: Path) -> None:
    ticket = filled(tmp_path / "hub.db")
    backup(tmp_path / "hub.db", tmp_path / "copy.db")
    restore(tmp_path / "copy.db", tmp_path / "other.db")

    async def look() -> Shown:
        async with opened(tmp_path / "other.db", MORE) as hub, hub.session("ann") as ann:
            return await ann.service(Tickets).get(ticket.stream)

    assert anyio.run(look) == ticket


def damage(db: Path, sql: str) -> None:
    connection = apsw.Connection(str(db))
    connection.execute(sql)
    connection.close()
