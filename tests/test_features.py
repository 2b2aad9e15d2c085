"""A hub, its sessions, its server and the tools know features from one list only."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import httpx2
import pytest

import hubbub
from hubbub import FEATURES, USERS, Feature, Invalid, Money, NotFound, Session
from hubbub.feature_set import FeatureSet
from hubbub.journal.event import Streams
from hubbub.journal.stats import Traffic
from hubbub.journal.stores.sqlite import SQLiteStore
from hubbub.journal.verify import Report, verify
from hubbub.server import create_app
from hubbub.service import Service
from tests.docs import permissions_table
from tests.helpdesk import TICKETS, Opened, Tickets
from tests.server.api import http_of
from tests.server.raw_client import RawClient
from tests.session.worlds import KINDS, PATIENCE, Kind, OpenWorld, World, open_world

ON_UVLOOP = os.environ.get("HUBBUB_TEST_LOOP") == "uvloop"
SERVED: tuple[Kind, ...] = ("remote",) if ON_UVLOOP else ("remote", "mounted")
MORE = [*FEATURES, TICKETS]
# What may be left out, and a method and a kind of stream of each.
OPTIONAL = {
    "chat": ("chat.rooms", "room/1"),
    "games": ("games.matches", "match/1"),
    "shop": ("shop.cart", "cart/1"),
    "operations": ("operations.stats", None),
}


def without(name: str) -> list[Feature]:
    return [feature for feature in MORE if feature.name != name]


@pytest.fixture(params=("sqlite", "remote") if ON_UVLOOP else KINDS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> OpenWorld:
    """Open a world: in the process on each store, over a socket of each kind."""
    return partial(open_world, request.param, tmp_path / "hub.db")


@pytest.fixture(params=SERVED)
def served(request: pytest.FixtureRequest, tmp_path: Path) -> OpenWorld:
    """Open a world behind a server of each kind."""
    return partial(open_world, request.param, tmp_path / "hub.db")


@asynccontextmanager
async def socket_of(world: World) -> AsyncIterator[RawClient]:
    """Connect to a world's server, and sign in."""
    assert world.address is not None
    place = urlsplit(world.address)
    assert place.hostname is not None
    assert place.port is not None
    async with await anyio.connect_tcp(place.hostname, place.port) as stream:
        client = RawClient(stream, world.address)
        await client.shake_hands()
        await client.sign_in()
        yield client


@asynccontextmanager
async def http_client_of(world: World) -> AsyncIterator[httpx2.AsyncClient]:
    """Make a client of a world's HTTP interface, which has signed in."""
    assert world.address is not None
    async with httpx2.AsyncClient(base_url=world.address) as http:
        signed_in = await http.post("/api/users/sign_in", json={"nickname": "Ann"})
        http.headers["Authorization"] = f"Bearer {signed_in.json()['token']}"
        yield http


async def described(world: World) -> set[str]:
    async with http_client_of(world) as http:
        return set((await http.get("/openapi.json")).json()["paths"])


# One that is added


async def test_an_added_feature_is_in_every_session(world: OpenWorld) -> None:
    async with world(features=MORE) as here:
        ann, bob = await here.sessions("Ann", "Bob")
        ticket = await ann.service(Tickets).open("The printer is on fire")
        with anyio.fail_after(PATIENCE):
            async with bob.follow(ticket.stream, after=0) as events:
                opened = await anext(aiter(events))
        read = await bob.read(ticket.stream)

    assert opened.data == Opened("The printer is on fire")
    assert read == [opened]


async def test_an_added_feature_is_on_the_wire(served: OpenWorld) -> None:
    async with served(features=MORE) as here, socket_of(here) as client:
        answer = await client.ask("tickets.open", subject="Help")

    assert answer["result"]["subject"] == "Help"


async def test_an_added_feature_is_reached_by_http(served: OpenWorld) -> None:
    async with served(features=MORE) as here, http_client_of(here) as http:
        opened = (await http.post("/api/tickets/open", json={"subject": "Help"})).json()
        got = await http.get("/api/tickets/get", params={"stream": opened["stream"]})

    assert got.json() == opened


async def test_an_added_feature_is_described(served: OpenWorld) -> None:
    async with served(features=MORE) as here:
        paths = await described(here)

    assert {"/api/tickets/open", "/api/tickets/solve", "/api/tickets/get"} <= paths


async def test_the_roles_of_an_added_feature_hold(world: OpenWorld) -> None:
    async with world(features=MORE) as here:
        ann, mod = await here.session("Ann"), await here.session("Mod", role="moderator")
        ticket = await ann.service(Tickets).open("Help")
        with pytest.raises(hubbub.NotAllowed, match="Only a moderator can do this"):
            await ann.service(Tickets).solve(ticket.stream)
        solved = await mod.service(Tickets).solve(ticket.stream)

    assert solved.solved


def test_an_added_feature_is_in_the_permissions() -> None:
    features = FeatureSet(MORE)
    page = permissions_table.page(features)

    assert features.grants["tickets.solve"].who == ("moderator",)
    assert features.grants["tickets.open"].who == ("anyone",)
    assert "| `tickets.solve` | moderator |" in page
    assert "| `ticket/…` | anyone |" in page


async def test_a_client_without_the_feature_says_so(served: OpenWorld) -> None:
    async with served(features=MORE) as here:
        assert here.address is not None
        async with hubbub.connect(here.address, nickname="Ann") as ann:
            with pytest.raises(NotFound, match=r"no Tickets; add its feature .*features="):
                ann.service(Tickets)
            # What the client does not know of is no reason to lose the rest.
            room = await ann.chat.create_room("Lobby")

    assert room.name == "Lobby"


async def test_what_is_busy_of_an_added_feature_is_shown_to_operators(world: OpenWorld) -> None:
    async with world(features=MORE) as here:
        ann, admin = await here.session("Ann"), await here.session("Root", role="admin")
        ticket = await ann.service(Tickets).open("Help")
        await ann.service(Tickets).answer(ticket.stream, "Soon")
        solved = await ann.service(Tickets).open("Solved by itself")
        await admin.service(Tickets).solve(solved.stream)
        stats = await admin.operations.stats()

    assert stats.rooms == [Traffic(ticket.stream, "Help", 2)]


def verified(path: Path) -> Report:
    store = SQLiteStore(path)
    try:
        return verify(store, Streams(FeatureSet(MORE).streams))
    finally:
        store.close()


def test_an_added_feature_is_verified(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"

    async def fill() -> None:
        async with hubbub.open(str(path), features=MORE) as hub, hub.session("ann") as ann:
            await ann.service(Tickets).open("Help")

    anyio.run(fill)
    report = verified(path)

    assert (report.streams, report.events) == (2, 3)
    assert (report.faults, report.skipped) == ([], {})


# One that is left out


@pytest.mark.parametrize("name", OPTIONAL)
async def test_what_is_left_out_is_in_no_session(name: str) -> None:
    async with (
        hubbub.open("memory://", features=without(name)) as hub,
        hub.session("ann") as ann,
    ):
        assert not hasattr(ann, name)
        with pytest.raises(AttributeError, match=f"'{name}'.*features="):
            getattr(ann, name)


@pytest.mark.parametrize("name", OPTIONAL)
async def test_a_client_is_told_that_the_server_has_left_it_out(
    served: OpenWorld, name: str
) -> None:
    method, _ = OPTIONAL[name]
    async with served(features=without(name)) as here:
        ann = await here.session("Ann", role="admin")
        with pytest.raises(NotFound, match=f"There is no method '{method}'"):
            await getattr(getattr(ann, name), method.partition(".")[2])()


@pytest.mark.parametrize("name", OPTIONAL)
async def test_what_is_left_out_is_not_on_the_wire(served: OpenWorld, name: str) -> None:
    async with served(features=without(name)) as here, socket_of(here) as client:
        answer = await client.ask(OPTIONAL[name][0])

    assert answer["error"]["code"] == -32601


@pytest.mark.parametrize("name", OPTIONAL)
async def test_what_is_left_out_is_not_reached_by_http(served: OpenWorld, name: str) -> None:
    async with served(features=without(name)) as here:
        async with http_client_of(here) as http:
            answer = await http.get("/api/" + OPTIONAL[name][0].replace(".", "/"))
        paths = await described(here)

    assert answer.status_code == 404
    assert [path for path in paths if path.startswith(f"/api/{name}/")] == []


@pytest.mark.parametrize("name", [one for one, (_, stream) in OPTIONAL.items() if stream])
async def test_the_streams_of_what_is_left_out_are_not_there(world: OpenWorld, name: str) -> None:
    stream = OPTIONAL[name][1]
    assert stream is not None
    async with world(features=without(name)) as here:
        ann = await here.session("Ann")
        with pytest.raises(NotFound, match=f"There is no stream '{stream}'"):
            await ann.read(stream)
        with pytest.raises(NotFound):
            async with ann.follow(stream):
                pass
        with pytest.raises(NotFound):
            async with ann.signals(stream):
                pass


@pytest.mark.parametrize("name", OPTIONAL)
def test_what_is_left_out_is_in_no_table(name: str) -> None:
    features = FeatureSet(without(name))
    kinds = {kind for feature in FEATURES if feature.name == name for kind in feature.streams}

    assert [one for one in features.grants if one.startswith(f"{name}.")] == []
    assert kinds.isdisjoint(features.readers)
    assert kinds.isdisjoint(features.streams)


@pytest.mark.parametrize("name", OPTIONAL)
@pytest.mark.parametrize("page", ["/", "/admin"])
async def test_the_page_is_told_which_features_there_are(name: str, page: str) -> None:
    async with (
        hubbub.open("memory://", features=without(name)) as hub,
        http_of(create_app(hub)) as http,
    ):
        body = (await http.get(page)).text

    told = re.search('<html lang="en" data-features="([a-z ]*)">', body)
    assert told is not None
    assert set(told[1].split()) == {feature.name for feature in MORE} - {name}


async def use_chat(session: Session) -> None:
    room = await session.chat.create_room("Lobby")
    assert (await session.chat.send(room.id, "hello")).text == "hello"


async def use_games(session: Session) -> None:
    await session.games.submit("main", 7, key="7")
    assert [entry.score for entry in await session.games.top("main")] == [7]


async def use_shop(session: Session) -> None:
    await session.shop.set_product("mug", "Mug", Money("9.99", "USD"), stock=5)
    assert (await session.shop.add_item("mug")).lines[0].quantity == 1


async def use_operations(session: Session) -> None:
    assert (await session.operations.stats()).users >= 1


async def use_tickets(session: Session) -> None:
    assert (await session.service(Tickets).open("Help")).subject == "Help"


USES: dict[str, Callable[[Session], Awaitable[None]]] = {
    "chat": use_chat,
    "games": use_games,
    "shop": use_shop,
    "operations": use_operations,
    "tickets": use_tickets,
}


@pytest.mark.parametrize("name", OPTIONAL)
async def test_the_others_work_without_it(world: OpenWorld, name: str) -> None:
    async with world(features=without(name)) as here:
        admin = await here.session("Root", role="admin")
        for other, use in USES.items():
            if other != name:
                await use(admin)
        me = await admin.users.get(admin.user.id)

    assert (me.nickname, me.status) == ("Root", "online")


@pytest.mark.parametrize("name", OPTIONAL)
async def test_a_guest_becomes_another_user_without_it(world: OpenWorld, name: str) -> None:
    async with world(features=without(name)) as here:
        guest = await here.session("Guest")
        async with here.visit("Ann", guest=guest) as ann:
            online = await ann.users.online()

    assert "Ann" in [user.nickname for user in online]


async def test_users_alone_are_a_hub(world: OpenWorld) -> None:
    async with world(features=[USERS]) as here:
        ann, bob = await here.sessions("Ann", "Bob")
        await ann.users.create_account("ann", "correct horse")
        seen = await bob.users.get(ann.user.id)

    assert seen.nickname == "Ann"


def test_users_cannot_be_left_out() -> None:
    with pytest.raises(Invalid, match=r"needs hubbub\.USERS"):
        hubbub.open("memory://", features=without("users"))


def test_an_option_of_what_is_left_out_is_refused() -> None:
    with pytest.raises(Invalid, match="No feature of this hub takes the option games="):
        hubbub.open("memory://", features=without("games"), games={})


@pytest.mark.parametrize("name", ["session", "role", "refresh_token", "journal_id", "user"])
def test_what_a_session_has_already_is_no_name_of_a_feature(name: str) -> None:
    taken = Feature(name=name, service=type("Taken", (Service,), {"name": name}))
    with pytest.raises(Invalid, match=f"A feature cannot have the name '{name}'"):
        hubbub.open("memory://", features=[*FEATURES, taken])
