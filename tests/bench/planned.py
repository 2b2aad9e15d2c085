"""The cost of a message in PostgreSQL and on the network: the figures of ``hubbub plan``."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from random import Random

import anyio
import msgspec
import psycopg
from anyio import to_thread
from websockets.sync.client import ClientConnection, connect

import hubbub
from hubbub.local_servers import postgres_server
from tests.bench.table import Row
from tests.bench.wire import FOLLOW, SIGN_IN, serving

__all__ = ["delivered", "stored"]

MESSAGES = 20_000
SENDERS = 200
# A text has so many words of a vocabulary; with the spaces it has about 100 characters.
WORDS = 16
VOCABULARY = 20_000
SAY = '{"jsonrpc":"2.0","id":4,"method":"chat.send","params":{"room_id":"%s","text":"%s"}}'
ANSWER_SECONDS_MAX = 10.0
# The header of a frame from the server, of the size that a message has.
FRAME_HEADER_BYTES = 4
SIZE = "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind IN ('r', 'm')"


def stored(backend: str) -> list[Row]:
    """Measure how much PostgreSQL grows for each message, with its indexes and its key."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        with postgres_server(Path(folder) / "postgres", settings={"fsync": "off"}) as server:
            each = anyio.run(_grown, server.url, backend=backend) / MESSAGES
    return [Row("PostgreSQL grows for a message of 100 characters", backend, each, "bytes")]


async def _grown(url: str) -> int:
    settings = hubbub.Settings(message_limit=10**7, message_period=1.0)
    words = [
        "".join(Random(n).choices("abcdefghijklmnopqrstuvwxyz", k=5)) for n in range(VOCABULARY)
    ]
    async with hubbub.open(url, settings=settings) as hub, hub.session("root") as root:
        room = await root.chat.create_room("bench")
        before = await to_thread.run_sync(_size, url)

        async def send(sender: int) -> None:
            random = Random(sender)
            async with hub.session(f"u{sender}") as session:
                await session.chat.join(room.id)
                for number in range(MESSAGES // SENDERS):
                    text = " ".join(random.choices(words, k=WORDS))
                    await session.chat.send(room.id, text, key=f"{sender}-{number}-{'k' * 20}")

        async with anyio.create_task_group() as tasks:
            for sender in range(SENDERS):
                tasks.start_soon(send, sender)
        return await to_thread.run_sync(_size, url) - before


def _size(url: str) -> int:
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("VACUUM ANALYZE")
        [(size,)] = database.execute(SIZE).fetchall()
    return int(size)


def delivered(backend: str) -> list[Row]:
    """Measure the bytes that a follower receives for a message of 100 characters."""
    with (
        serving("memory://", backend, {0, 1}) as (port, _),
        connect(f"ws://127.0.0.1:{port}/ws", max_size=None) as socket,
    ):
        ask = partial(_ask, socket)
        ask(SIGN_IN % '{"nickname":"root"}', b'"id":1')
        made = '{"jsonrpc":"2.0","id":2,"method":"chat.create_room","params":{"name":"bench"}}'
        room = msgspec.json.decode(ask(made, b'"id":2'))["result"]["id"]
        ask(FOLLOW % f'{{"stream":"room/{room}"}}', b'"head"')
        frame = ask(SAY % (room, "x" * 100), b'"type":"message"')
    size = len(frame) + FRAME_HEADER_BYTES
    return [Row("a follower receives for the same message", backend, size, "bytes")]


def _ask(socket: ClientConnection, text: str, wanted: bytes) -> bytes:
    """Send a request; return the first frame that has some bytes in it."""
    socket.send(text)
    while wanted not in (frame := socket.recv(ANSWER_SECONDS_MAX, decode=False)):
        continue
    return frame
