"""The way into a hub."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

import hubbub
from hubbub import Settings
from hubbub.server import Gateway
from hubbub.server.auth.sign_in import SignIn
from hubbub.server.gateway import PING_SECONDS
from hubbub.testing import VirtualClock, run_in_virtual_time
from tests.server.memory_socket import Client, MemorySocket, clients


async def test_a_guest_s_id_is_the_server_s() -> None:
    async with clients() as (gateway, _):
        first = gateway.sign_ins.identify(SignIn(nickname="ann"))
        second = gateway.sign_ins.identify(SignIn(nickname="ann"))

    assert first.user != second.user


async def test_it_has_a_route_for_each_method() -> None:
    async with clients() as (gateway, _):
        routes = gateway.routes

    assert {"chat.send", "chat.history", "users.get"} <= routes.keys()
    assert routes["chat.send"].method.plain
    assert not routes["chat.history"].method.plain


async def test_the_secret_is_the_store_s_unless_it_is_set() -> None:
    async with hubbub.open("memory://") as hub:
        token = Gateway(hub).tokens.sign("ann")

        assert Gateway(hub).tokens.verify(token).user == "ann"
    async with hubbub.open("memory://", settings=Settings(secret="s" * 64)) as hub:
        token = Gateway(hub).tokens.sign("ann")
    async with hubbub.open("memory://", settings=Settings(secret="s" * 64)) as hub:
        assert Gateway(hub).tokens.verify(token).user == "ann"


async def test_it_is_full_at_its_limit() -> None:
    async with clients("ann", settings=Settings(connections_max=2)) as (gateway, _):
        before = gateway.full
        Client(gateway)

        assert (before, gateway.full) == (False, True)


async def test_all_are_told_to_come_back() -> None:
    async with clients("ann", "bob") as (gateway, everybody):
        gateway.close_all(3000, "come back")

    assert [client.socket.closed for client in everybody] == [(3000, "come back")] * 2


class Checked(MemorySocket):
    """Counts the checks whether it is alive."""

    checks = 0

    def signed_in(self) -> None:
        pass

    def check_alive(self) -> None:
        """Count."""
        self.checks += 1


@asynccontextmanager
async def checked() -> AsyncIterator[Checked]:
    """Open a hub in virtual time, with one client; yield its socket."""
    async with hubbub.open("memory://", settings=Settings(clock=VirtualClock())) as hub:
        gateway = Gateway(hub)
        client = Client(gateway)
        socket = Checked()
        gateway.connections[client.connection] = socket
        yield socket


def test_everybody_is_pinged_from_time_to_time() -> None:
    async def some_time() -> int:
        async with checked() as socket:
            with anyio.move_on_after(3.5 * PING_SECONDS):
                await anyio.sleep_forever()
            return socket.checks

    for backend in ("asyncio", "trio"):
        assert run_in_virtual_time(some_time, backend=backend) == 3


def test_nobody_is_hung_up_on_because_the_event_loop_stood_still(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def some_time() -> int:
        async with checked() as socket:
            await anyio.sleep(3.5 * PING_SECONDS)
            return socket.checks

    # Each turn of the loop is too long.
    monkeypatch.setattr("hubbub.server.gateway.BLOCKED_SECONDS", -1.0)
    for backend in ("asyncio", "trio"):
        caplog.clear()
        assert run_in_virtual_time(some_time, backend=backend) == 0
        assert caplog.text.count("blocked the event loop") == 3


async def test_when_it_stops_clients_reconnect_elsewhere_and_nobody_new_is_let_in() -> None:
    async with clients("ann") as (gateway, [ann]):
        gateway.stop()

        assert gateway.full
        assert ann.socket.closed == (3000, "The server is stopping; reconnect.")
