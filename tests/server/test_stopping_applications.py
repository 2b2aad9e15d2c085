"""An application with Hubbub mounted stops in time, even with followers of a stream."""

from __future__ import annotations

import signal
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

import anyio
import pytest
from anyio import to_thread

from tests.blackbox.applications import Application, application
from tests.server.raw_client import RawClient, connected

# What docs/how-to/embed.md promises.
STOP_SECONDS_MAX = 5.0
# Hubbub's own, and that of a uvicorn which closes its sockets first; clients reconnect after both.
CLOSE_CODES = {3000, 1012}
TEST_SECONDS_MAX = 90
# More than a server closes between two looks at its signals.
SOCKETS = 300

SERVERS = {
    "uvicorn": """
        import uvicorn
        uvicorn.run(app, port=0)
    """,
    "uvicorn-asyncio": """
        import uvicorn
        uvicorn.run(app, port=0, loop="asyncio", http="h11", ws="wsproto")
    """,
    "uvicorn-own-protocol": """
        import uvicorn
        from hubbub.server.uvicorn_protocol import http_protocol

        async def main():
            async with lifespan(app):
                gateway = app.state.gateway
                protocol = http_protocol(gateway, "/live/ws")
                config = uvicorn.Config(app, port=0, http=protocol, ws="none", lifespan="off")
                await uvicorn.Server(config).serve()

        try:
            anyio.run(main)
        except KeyboardInterrupt:
            pass
    """,
    "hypercorn-asyncio": """
        import hypercorn.asyncio
        from hypercorn.config import Config
        anyio.run(hypercorn.asyncio.serve, app, Config.from_mapping(bind=["127.0.0.1:0"]))
    """,
    "hypercorn-trio": """
        import hypercorn.trio
        from hypercorn.config import Config
        config = Config.from_mapping(bind=["127.0.0.1:0"])
        anyio.run(hypercorn.trio.serve, app, config, backend="trio")
    """,
}


class Seen(NamedTuple):
    """How an application stopped."""

    code: int
    seconds: float
    close_code: int
    events: bytes


async def stop_while_followed(app: Application, number: int) -> Seen:
    """Follow by a WebSocket and by server-sent events, and send a signal."""
    host, _, port = app.address.removeprefix("http://").rpartition(":")
    async with (
        connected(app.address, path="/live/ws") as socket,
        await anyio.connect_tcp(host, int(port)) as stream,
    ):
        token = (await socket.sign_in())["token"]
        room = (await socket.ask("chat.create_room", name="r"))["result"]
        await socket.ask("session.follow", stream=room["stream"], after=0)
        line = f"GET /live/api/events?stream={room['stream']}&after=0 HTTP/1.1\r\nHost: x\r\n"
        await stream.send(f"{line}Authorization: Bearer {token}\r\n\r\n".encode())
        events = b""
        while b'"type":"joined"' not in events:
            events += await stream.receive()
        close_codes: list[int] = []
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_note_close_code, socket, close_codes)
            code, seconds = await to_thread.run_sync(app.stop, number)
        try:
            while True:
                events += await stream.receive()
        except anyio.EndOfStream:
            return Seen(code, seconds, close_codes[0], events)


async def _note_close_code(socket: RawClient, found: list[int]) -> None:
    found.append(await socket.close_code())


@pytest.mark.timeout(TEST_SECONDS_MAX)
@pytest.mark.parametrize("server", SERVERS)
def test_an_open_stream_and_an_open_socket_do_not_hold_it_up(server: str, tmp_path: Path) -> None:
    with application(tmp_path, SERVERS[server]) as app:
        seen = anyio.run(partial(stop_while_followed, app, signal.SIGINT))

    assert seen.seconds < STOP_SECONDS_MAX
    assert seen.code == 0, app.log
    assert seen.close_code in CLOSE_CODES
    assert seen.events.endswith(b"\r\n0\r\n\r\n")
    assert "the hub closes" in app.log
    assert "Traceback" not in app.log


@pytest.mark.timeout(TEST_SECONDS_MAX)
def test_uvicorn_ends_by_sigterm_as_it_does_without_hubbub(tmp_path: Path) -> None:
    with application(tmp_path, SERVERS["uvicorn"]) as app:
        seen = anyio.run(partial(stop_while_followed, app, signal.SIGTERM))

    # uvicorn raises the signal again when everything is closed.
    assert seen.code == -signal.SIGTERM
    assert seen.close_code in CLOSE_CODES
    assert seen.seconds < STOP_SECONDS_MAX
    assert "the hub closes" in app.log


# Its processes end the tasks that are left after a while, which is 3 seconds by default.
HYPERCORN_WORKERS = """
    from hypercorn.config import Config
    from hypercorn.run import run

    if __name__ == "__main__":
        run(Config.from_mapping(
            application_path="application:app", worker_class="{}", workers=1,
            bind=["127.0.0.1:0"], graceful_timeout=1,
        ))
"""
MANY_SERVERS = {
    "uvicorn": SERVERS["uvicorn"],
    "uvicorn-own-protocol": SERVERS["uvicorn-own-protocol"],
    "hypercorn-asyncio": SERVERS["hypercorn-asyncio"],
    "hypercorn-workers-asyncio": HYPERCORN_WORKERS.format("asyncio"),
    "hypercorn-workers-trio": HYPERCORN_WORKERS.format("trio"),
}


async def stop_with_many(app: Application) -> tuple[float, list[int]]:
    """Open many sockets, and send a signal; return the seconds and all close codes."""
    codes: list[int] = []
    async with AsyncExitStack() as stack, anyio.create_task_group() as tasks:
        for number in range(SOCKETS):
            client = connected(app.address, path="/live/ws", nickname=None if number else "ann")
            tasks.start_soon(_note_close_code, await stack.enter_async_context(client), codes)
        _, seconds = await to_thread.run_sync(app.stop, signal.SIGTERM)
    return seconds, codes


@pytest.mark.timeout(TEST_SECONDS_MAX)
@pytest.mark.parametrize("server", MANY_SERVERS)
def test_every_one_of_many_sockets_is_told_to_come_back(server: str, tmp_path: Path) -> None:
    settings = f"connections_per_address_max={2 * SOCKETS}"
    with application(tmp_path, MANY_SERVERS[server], settings) as app:
        seconds, codes = anyio.run(stop_with_many, app)

    assert codes == [3000] * SOCKETS
    assert seconds < STOP_SECONDS_MAX
