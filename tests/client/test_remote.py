"""A session over a real socket, when the network or the server fails."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any, Self

import anyio
import msgspec
import pytest

import hubbub
from hubbub.client.connect import open_dialer
from hubbub.client.remote import RemoteSession
from hubbub.clock import SystemClock
from hubbub.errors import Closed, Conflict, Invalid, NotAllowed
from hubbub.ids import Ids
from hubbub.server.gateway import NOT_SIGNED_IN
from hubbub.testing import hosted
from tests.client.played import PlayedServer
from tests.client.proxy import proxied
from tests.server.running import SETTINGS, running

PATIENCE = 15.0


class Restarted:
    """A server that is stopped and started again at the same port."""

    def __init__(self, url: str | Path, settings: hubbub.Settings = SETTINGS) -> None:
        self.address = ""
        self._url = url
        self._settings = settings
        self._stack = AsyncExitStack()

    async def start(self) -> None:
        port = int(self.address.rpartition(":")[2] or 0)
        # It is left in the middle of what was entered later, so it has a task of its own.
        server = hosted(running(self._url, self._settings, port))
        running_server = await self._stack.enter_async_context(server)
        self.address = running_server.address

    async def stop(self) -> None:
        await self._stack.aclose()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop()


class Shortest(random.Random):
    """Chance that is always kind: there is no wait."""

    def uniform(self, a: float, b: float) -> float:
        return a


def eager(address: str) -> RemoteSession:
    """Make a session that reconnects at once."""
    ids = Ids(SystemClock(), random.SystemRandom())
    return RemoteSession(address, partial(open_dialer, address), {}, ids, Shortest())


async def history_of(hub: hubbub.Hubbub, room: hubbub.Room) -> list[hubbub.Message]:
    """Read a room's history in the process."""
    async with hub.session("auditor") as auditor:
        await auditor.chat.join(room.id)
        return await auditor.chat.history(room.id, limit=500)


async def take(events: AsyncIterator[hubbub.Event], head: int) -> list[int]:
    """Take events up to a seq; return their seqs."""
    seqs: list[int] = []
    with anyio.fail_after(PATIENCE):
        while not seqs or seqs[-1] < head:
            seqs.append((await anext(events)).seq)
    return seqs


async def send_all(session: hubbub.Session, room: hubbub.Room, who: str, count: int) -> None:
    """Say something so often, one after another."""
    for n in range(count):
        await session.chat.send(room.id, f"{who} {n}")


# The network goes away


async def test_nothing_is_lost_or_doubled_when_the_network_is_cut() -> None:
    async with (
        running() as server,
        proxied(server.address) as proxy,
        eager(proxy.address) as alice,
        eager(proxy.address) as bob,
    ):
        room = await alice.chat.create_room("r")
        await bob.chat.join(room.id)
        seqs: list[int] = []
        async with bob.follow(room.stream, after=0) as events, anyio.create_task_group() as tasks:
            for who in "abcde":
                tasks.start_soon(send_all, alice, room, who, 40)
            while len(seqs) < 203:
                seqs += await take(events, min(len(seqs) + 9, 203))
                proxy.cut()
        texts = [message.text for message in await history_of(server.hub, room)]

    assert proxy.connections > 20
    assert seqs == list(range(1, 204))
    for who in "abcde":
        said = [text for text in texts if text.startswith(who)]
        assert said == [f"{who} {n}" for n in range(40)]


async def test_a_session_is_the_same_user_after_a_cut() -> None:
    async with (
        running() as server,
        proxied(server.address) as proxy,
        eager(proxy.address) as alice,
    ):
        before = alice.user
        await alice.users.update(nickname="Alicia")
        proxy.cut()
        after = await alice.users.get(before.id)

        assert after.nickname == "Alicia"
        assert alice.user == after


# The server goes away


async def test_a_server_that_is_started_again_is_gone_on_with(tmp_path: Path) -> None:
    async with (
        Restarted(tmp_path / "hub.db") as server,
        hubbub.connect(server.address, nickname="Alice") as alice,
        hubbub.connect(server.address, nickname="Bob") as bob,
    ):
        room = await alice.chat.create_room("r")
        await bob.chat.join(room.id)
        async with bob.follow(room.stream, after=0) as events:
            async with anyio.create_task_group() as tasks:
                for who in "abcde":
                    tasks.start_soon(send_all, alice, room, who, 20)
                await take(events, 20)
                await server.stop()
                await server.start()
            rest = await take(events, 3 + 100)
        texts = [message.text for message in await bob.chat.history(room.id, limit=500)]

    assert rest == list(range(21, 104))
    assert sorted(texts) == sorted(f"{who} {n}" for who in "abcde" for n in range(20))


async def test_a_request_waits_for_a_server_that_is_away(tmp_path: Path) -> None:
    async with (
        Restarted(tmp_path / "hub.db") as server,
        hubbub.connect(server.address, nickname="Alice") as alice,
    ):
        room = await alice.chat.create_room("r")
        await server.stop()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(send_all, alice, room, "while away", 1)
            await anyio.lowlevel.checkpoint()
            await server.start()

        assert [m.text for m in await alice.chat.history(room.id)] == ["while away 0"]


async def test_another_journal_is_a_conflict_and_then_a_new_beginning() -> None:
    settings = msgspec.structs.replace(SETTINGS, secret="the same on both " * 3)
    async with (
        Restarted("memory://", settings) as server,
        hubbub.connect(server.address, nickname="Alice") as alice,
    ):
        room = await alice.chat.create_room("r")
        first = alice.journal_id
        async with alice.follow(room.stream) as events:
            await server.stop()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(send_to_the_past, alice, room)
                await anyio.lowlevel.checkpoint()
                await server.start()
            with pytest.raises(Conflict, match="history was reset"):
                await anext(events)

        assert alice.journal_id != first
        assert await alice.chat.rooms() == []


async def send_to_the_past(session: hubbub.Session, room: hubbub.Room) -> None:
    with pytest.raises(Conflict, match="history was reset"):
        await session.chat.send(room.id, "hello?")


async def test_a_server_that_knows_the_token_no_more_ends_the_session() -> None:
    async with (
        Restarted("memory://") as server,
        hubbub.connect(server.address, nickname="Alice") as alice,
    ):
        await server.stop()
        await server.start()

        for _ in range(2):
            with anyio.fail_after(PATIENCE), pytest.raises(NotAllowed, match="sign in again"):
                await alice.chat.rooms()


async def test_a_server_may_ask_not_to_come_back() -> None:
    async with running() as server, hubbub.connect(server.address) as guest:
        server.gateway.close_all(NOT_SIGNED_IN, "Enough.")

        with anyio.fail_after(PATIENCE), pytest.raises(Closed, match="Enough"):
            await ask_for_ever(guest)


async def ask_for_ever(session: hubbub.Session) -> None:
    while True:
        await session.chat.rooms()


# Coming and going


async def test_a_token_makes_one_the_same_user_again() -> None:
    async with running() as server:
        async with hubbub.connect(server.address, nickname="Alice") as once:
            user, token = once.user, once.token
        async with hubbub.connect(server.address, token=token) as again:
            assert again.user == user
        async with hubbub.connect(server.address + "/", token=token, nickname="Al") as renamed:
            assert (renamed.user.id, renamed.user.nickname) == (user.id, "Al")


async def test_a_forged_token_is_refused_with_a_plain_error() -> None:
    async with running() as server:
        with pytest.raises(NotAllowed, match="not valid"):
            async with hubbub.connect(server.address, token="forged"):
                pytest.fail("it is let in")


async def test_an_error_of_the_body_comes_out_as_it_is() -> None:
    async with running() as server:
        with pytest.raises(ZeroDivisionError):
            async with hubbub.connect(server.address):
                raise ZeroDivisionError


async def test_a_session_may_be_cancelled() -> None:
    async with running() as server:
        with anyio.move_on_after(0.05) as scope:
            async with hubbub.connect(server.address) as guest:
                room = await guest.chat.create_room("r")
                async with guest.follow(room.stream) as events:
                    await anext(events)

    assert scope.cancelled_caught


async def test_before_and_after_it_is_open_a_session_is_closed() -> None:
    async with running() as server:
        session = hubbub.connect(server.address)
        assert isinstance(session, RemoteSession)
        with pytest.raises(Closed, match="async with"):
            await session.chat.rooms()
        async with session:
            room = await session.chat.create_room("r")

        with pytest.raises(Closed, match="connect again"):
            await session.chat.rooms()
        with pytest.raises(Closed):
            async with session.follow(room.stream):
                pytest.fail("it is closed")


# What is not understood


async def test_a_request_that_a_server_cannot_read_fails_alone() -> None:
    async with running() as server, hubbub.connect(server.address) as guest:
        room = await guest.chat.create_room("r")
        async with guest.follow(room.stream) as events:
            # The first is passed over, the second is the end of the connection.
            for chars in (100_000, 17_000_000):
                with pytest.raises(Invalid, match="send less"):
                    await guest.chat.send(room.id, "x" * chars)
            said = await guest.chat.send(room.id, "short")

            assert (await anext(events)).seq == said.seq


async def played(server: PlayedServer, result: object) -> None:
    """Answer the first request."""
    [asked] = await server.until_asked(1)
    server.answer(asked["id"], result)


@pytest.mark.parametrize("result", [{"id": 5}, "rooms", [1]])
async def test_an_answer_that_is_too_new_is_told_as_such(result: object) -> None:
    server, chance = PlayedServer(), random.Random(7)
    ids = Ids(SystemClock(), chance)
    session = RemoteSession("http://played", lambda: server.dial, {}, ids, chance)
    async with session, anyio.create_task_group() as tasks:
        tasks.start_soon(played, server, result)
        with pytest.raises(Invalid, match="does not know"):
            await session.chat.rooms()


async def test_an_event_that_is_too_new_is_told_as_such() -> None:
    server, chance = PlayedServer(), random.Random(7)
    ids = Ids(SystemClock(), chance)
    session = RemoteSession("http://played", lambda: server.dial, {}, ids, chance)
    event: dict[str, Any] = {"stream": "room/1", "seq": 5, "type": "teleported"}
    async with session, anyio.create_task_group() as tasks:
        tasks.start_soon(played, server, {"head": 4})
        async with session.follow("room/1") as events:
            server.sockets[-1].put({"jsonrpc": "2.0", "method": "event", "params": event})
            with pytest.raises(Invalid, match="does not know"):
                await anext(events)


async def test_a_command_that_takes_a_key_is_given_one() -> None:
    server, chance = PlayedServer(), random.Random(7)
    ids = Ids(SystemClock(), chance)
    session = RemoteSession("http://played", lambda: server.dial, {}, ids, chance)
    async with session:
        with anyio.move_on_after(0.1):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(session.chat.send, "r", "hello")
                tasks.start_soon(session.chat.send, "r", "hello")
                await server.until_asked(2)
                tasks.cancel_scope.cancel()

    # The client may have cancelled them already, by requests of its own.
    sent = [asked["params"] for asked in server.asked if asked["method"] == "chat.send"]
    assert len({params["key"] for params in sent}) == 2
