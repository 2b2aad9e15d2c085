"""The help desk of the tutorial: small, typed, and the same on both backends and ways in."""

from __future__ import annotations

import importlib
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import anyio
import pytest

import hubbub
from hubbub.server import Gateway
from hubbub.server.run import listen, serve
from tests.blackbox.warm_python import run, started
from tests.docs.examples import ADDRESS, ROOT, RUN, examples, files_of

PAGE = ROOT / "docs" / "tutorial" / "your-own-feature.md"
LINES_MAX = 99


@pytest.fixture(scope="module")
def tickets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    folder = tmp_path_factory.mktemp("desk")
    (folder / "tickets.py").write_text(files_of(PAGE)["tickets.py"])
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield importlib.import_module("tickets")
    del sys.modules["tickets"]


@asynccontextmanager
async def desk(tickets: ModuleType, url: str) -> AsyncIterator[tuple[hubbub.Hubbub, str]]:
    """Open a hub with the help desk, and serve it; yield its address as well."""
    features = [*hubbub.FEATURES, tickets.TICKETS]
    with listen("127.0.0.1", 0) as listener:
        async with hubbub.open(url, features=features) as hub, anyio.create_task_group() as tasks:
            gateway = Gateway(hub)
            address = await tasks.start(serve, gateway, listener, anyio.sleep_forever)
            yield hub, address
            tasks.cancel_scope.cancel()


@asynccontextmanager
async def two_sessions(
    tickets: ModuleType, way: str, url: str = "memory://"
) -> AsyncIterator[tuple[hubbub.Session, hubbub.Session]]:
    """Open a session of a user and one of an agent, in the process or over the network."""
    async with AsyncExitStack() as stack:
        hub, address = await stack.enter_async_context(desk(tickets, url))
        if way == "in process":
            ann = await stack.enter_async_context(hub.session("ann"))
            yield ann, await stack.enter_async_context(hub.session("max", role="moderator"))
            return
        tokens = Gateway(hub).tokens
        there: list[Any] = [
            await stack.enter_async_context(
                hubbub.connect(address, token=token, features=[tickets.TICKETS])
            )
            for token in (tokens.sign("ann"), tokens.sign("max", "moderator"))
        ]
        yield there[0], there[1]


def test_the_whole_feature_has_less_than_a_hundred_lines() -> None:
    code = files_of(PAGE)["tickets.py"]
    lines = [line for line in code.splitlines() if line.strip()]

    assert len(lines) <= LINES_MAX
    assert f"You write {len(lines)} lines" in PAGE.read_text()


@pytest.mark.parametrize("way", ["in process", "over the network"])
async def test_a_ticket_is_opened_taken_and_answered_live(tickets: ModuleType, way: str) -> None:
    async with two_sessions(tickets, way) as (ann, agent):
        ticket = await ann.service(tickets.Tickets).open("The printer is on fire")
        async with ann.follow(ticket.stream, after=0) as events:
            waiting = await agent.service(tickets.Tickets).waiting()
            taken = await agent.service(tickets.Tickets).take(ticket.stream)
            await agent.service(tickets.Tickets).answer(ticket.stream, "Leave the room.")
            seen = [(await anext(events)).data for _ in range(3)]

    assert waiting == [ticket]
    assert taken.agent == "max"
    assert seen == [
        tickets.Opened("The printer is on fire"),
        tickets.Taken(),
        tickets.Answered("Leave the room."),
    ]


@pytest.mark.parametrize("way", ["in process", "over the network"])
async def test_who_may_not_is_told_the_same(tickets: ModuleType, way: str) -> None:
    async with two_sessions(tickets, way) as (ann, agent):
        mine, theirs = ann.service(tickets.Tickets), agent.service(tickets.Tickets)
        ticket = await mine.open("The printer is on fire")
        with pytest.raises(hubbub.NotAllowed, match="Only a moderator can do this"):
            await mine.take(ticket.stream)
        with pytest.raises(hubbub.NotAllowed, match="somebody else's"):
            await theirs.answer(ticket.stream, "Is it?")
        with pytest.raises(hubbub.Invalid, match="1 to 1000 characters"):
            await mine.answer(ticket.stream, "x" * 1_001)
        await theirs.take(ticket.stream)
        with pytest.raises(hubbub.NotFound, match="not waiting"):
            await theirs.take(ticket.stream)
        with pytest.raises(hubbub.NotFound):
            await theirs.answer("ticket/none", "Hello?")


@pytest.mark.parametrize("way", ["in process", "over the network"])
async def test_the_same_key_opens_one_ticket(tickets: ModuleType, way: str) -> None:
    async with two_sessions(tickets, way) as (ann, agent):
        first = await ann.service(tickets.Tickets).open("The printer is on fire", key="1")
        again = await ann.service(tickets.Tickets).open("The printer is on fire", key="1")
        waiting = await agent.service(tickets.Tickets).waiting()

    assert first == again
    assert len(waiting) == 1


async def test_tickets_outlive_the_hub(tickets: ModuleType, tmp_path: Path) -> None:
    url = str(tmp_path / "desk.db")
    async with two_sessions(tickets, "in process", url) as (ann, _):
        ticket = await ann.service(tickets.Tickets).open("The printer is on fire")
    async with hubbub.open(url) as hub, hub.session("ann") as ann:
        with pytest.raises(hubbub.NotFound):
            await ann.read(ticket.stream)
    async with two_sessions(tickets, "over the network", url) as (ann, agent):
        events = await ann.read(ticket.stream)
        waiting = await agent.service(tickets.Tickets).waiting()

    assert [event.data for event in events] == [tickets.Opened("The printer is on fire")]
    assert waiting == [ticket]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_desk_that_is_killed_has_lost_nothing(backend: str, tmp_path: Path) -> None:
    [client] = [
        one for one in examples() if one.page == PAGE and one.features and one.language == "python"
    ]
    (tmp_path / "tickets.py").write_text(files_of(PAGE)["tickets.py"])
    env = {"HUBBUB_ADMIN_PASSWORD": "correct horse battery"}
    feature = ["--feature", "tickets:TICKETS"]
    options = ["--db", "desk.db", "--port", 0, "--backend", backend, "--admin", "Max", *feature]
    for _ in range(2):
        # Leaving it kills it.
        with started(tmp_path, "-m", "hubbub.cli", "serve", *options, env=env) as server:
            address = server.line_with("Hubbub serves").split()[2]
            code = client.code.replace(ADDRESS, address)
            (tmp_path / "network.py").write_text(
                code.replace(RUN, f"{RUN[:-1]}, backend={backend!r})")
            )
            done = run(tmp_path, "network.py")
            assert done.out == client.prints, done.err
    checked = run(tmp_path, "-m", "hubbub.cli", "verify", "desk.db", *feature)

    assert checked.code == 0
    assert "no fault" in checked.out
