"""Running the server, and stopping it."""

from __future__ import annotations

import socket

import anyio
import httpx2
import pytest

import hubbub
from hubbub.server import Gateway
from hubbub.server.run import address_of, listen, serve
from tests.server.raw_client import connected
from tests.server.running import running


async def test_http_and_websockets_share_the_port() -> None:
    async with (
        running() as server,
        connected(server.address, "ann"),
        httpx2.AsyncClient(base_url=server.address) as http,
    ):
        health = await http.get("/health")

    assert health.status_code == 200
    assert health.json()["status"] == "ok"


async def test_several_requests_on_one_http_connection() -> None:
    async with running() as server, httpx2.AsyncClient(base_url=server.address) as http:
        answers = [await http.get("/health") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]


async def test_stopping_answers_what_was_accepted_and_asks_to_come_back() -> None:
    async with running() as server, connected(server.address, "ann") as ann:
        room = (await ann.ask("chat.create_room", name="r"))["result"]
        last = [await ann.post("chat.send", room_id=room["id"], text=str(n)) for n in range(50)][-1]
        answer = await ann.answer(last)
        server.stop.set()
        code = await ann.close_code()

    assert answer["result"]["text"] == "49"
    assert code == 3000


async def test_after_stopping_nobody_is_let_in() -> None:
    async with running() as server:
        port = int(server.address.rpartition(":")[2])

    with pytest.raises(OSError, match=r".*"):
        await anyio.connect_tcp("127.0.0.1", port)


async def test_a_server_that_is_cancelled_lets_the_next_one_serve() -> None:
    async with hubbub.open("memory://") as hub:
        for _ in range(3):
            with listen("127.0.0.1", 0) as listener:
                async with anyio.create_task_group() as tasks:
                    gateway = Gateway(hub)
                    address = await tasks.start(serve, gateway, listener, anyio.sleep_forever)
                    async with httpx2.AsyncClient(base_url=address, timeout=5) as http:
                        health = await http.get("/health")
                    tasks.cancel_scope.cancel()

            assert health.status_code == 200


async def test_a_server_that_is_cancelled_closes_idle_connections() -> None:
    async with hubbub.open("memory://") as hub:
        gateway = Gateway(hub)
        with listen("127.0.0.1", 0) as listener:
            async with anyio.create_task_group() as tasks:
                address = await tasks.start(serve, gateway, listener, anyio.sleep_forever)
                async with connected(address, "ann") as ann, connected(address, "bob") as bob:
                    assert gateway.places.count == 2
                    tasks.cancel_scope.cancel()
                    with anyio.CancelScope(shield=True):
                        for client in (ann, bob):
                            with pytest.raises(ConnectionError):
                                await client.frame()

        assert (gateway.places.count, gateway.connections) == (0, {})


async def test_what_was_acknowledged_is_there_after_a_restart(tmp_path: anyio.Path) -> None:
    async with running(f"{tmp_path}/hub.db") as server, connected(server.address) as ann:
        token = (await ann.sign_in("ann"))["token"]
        room = (await ann.ask("chat.create_room", name="r"))["result"]
        await ann.ask("chat.send", room_id=room["id"], text="before")

    async with running(f"{tmp_path}/hub.db") as server, connected(server.address) as ann:
        await ann.ask("session.sign_in", token=token)
        history = (await ann.ask("chat.history", room_id=room["id"]))["result"]

    assert [message["text"] for message in history] == ["before"]


def test_a_busy_port_is_an_error_at_once() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(OSError, match="in use"), listen("127.0.0.1", port):
            pass


def test_an_address_of_version_6_has_brackets() -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    with listen("::1", 0) as listener:
        assert address_of(listener).startswith("http://[::1]:")
