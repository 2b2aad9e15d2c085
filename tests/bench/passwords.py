"""Wrong passwords against one account, from many addresses, while others talk."""

from __future__ import annotations

import math
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import msgspec
from anyio.abc import SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream
from websockets.sync.client import ClientConnection, connect

from tests.bench.table import Row
from tests.bench.wire import FOLLOW, JOIN, SEND, SIGN_IN, serving

__all__ = ["passwords"]

RATE = 1_000
ADDRESSES = 50
P99_MS_MAX = 50.0
RUNS = 3
ROOT = Path(__file__).parents[2]

NAME, PASSWORD = "victim", "correct horse"
CREATE_ROOM = '{"jsonrpc":"2.0","id":2,"method":"chat.create_room","params":{"name":"bench"}}'
CREATE_ACCOUNT = (
    '{"jsonrpc":"2.0","id":9,"method":"users.create_account",'
    f'"params":{{"name":"{NAME}","password":"{PASSWORD}"}}}}'
)


def passwords(backend: str, seconds: float) -> list[Row]:
    """Measure how long messages take, without and with the attack; medians of some runs."""
    runs = [_run(backend, seconds) for _ in range(RUNS)]
    quiet, attacked, tried = (statistics.median(values) for values in zip(*runs, strict=True))
    return [
        Row("delivery of a message, p99, nobody attacks", backend, quiet, "ms"),
        Row("delivery, p99, wrong passwords", backend, attacked, "ms", P99_MS_MAX, most=True),
        # What is asked for is paced, so a few are still under way at the end.
        Row("wrong passwords against one account", backend, tried, "answers/s", 0.95 * RATE),
    ]


def _run(backend: str, seconds: float) -> tuple[float, float, float]:
    with serving("memory://", backend, {0, 1}) as (port, _):
        room, writer, reader = _two_who_talk(port)
        with writer, reader:
            quiet = _p99(_deliveries(writer, reader, room, seconds))
            command = [sys.executable, "-m", "tests.bench.passwords", str(port), str(seconds)]
            with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as attack:
                assert attack.stdout is not None
                attack.stdout.readline()
                attacked = _p99(_deliveries(writer, reader, room, seconds))
                answered = int(attack.stdout.readline())
    return quiet, attacked, answered / seconds


def _two_who_talk(port: int) -> tuple[str, ClientConnection, ClientConnection]:
    writer, reader = (connect(f"ws://127.0.0.1:{port}/ws") for _ in range(2))
    for socket in (writer, reader):
        _ask(socket, SIGN_IN % '{"nickname":"talker"}')
    room = str(_ask(writer, CREATE_ROOM)["result"]["id"])
    _ask(writer, CREATE_ACCOUNT)
    _ask(reader, JOIN % room)
    _ask(reader, FOLLOW % f'{{"stream":"room/{room}"}}')
    return room, writer, reader


def _ask(socket: ClientConnection, text: str) -> dict[str, Any]:
    socket.send(text)
    answer: dict[str, Any] = msgspec.json.decode(socket.recv())
    assert "error" not in answer, answer
    return answer


def _deliveries(
    writer: ClientConnection, reader: ClientConnection, room: str, seconds: float
) -> Iterator[float]:
    """Say something every ten milliseconds; gives how many milliseconds each took to arrive."""
    ends, send = time.perf_counter() + seconds, SEND % room
    while (begun := time.perf_counter()) < ends:
        writer.send(send.replace("%n", "5").replace("%M", "hello"))
        reader.recv()
        yield (time.perf_counter() - begun) * 1000
        writer.recv()
        time.sleep(max(0.0, begun + 0.01 - time.perf_counter()))


def _p99(values: Iterator[float]) -> float:
    ordered = sorted(values)
    return ordered[math.ceil(0.99 * len(ordered)) - 1]


async def _attack(port: int, seconds: float) -> None:
    """Try as many passwords as are wanted, and print how many were answered."""
    answered = 0

    async def guess(address: str, number: int) -> None:
        nonlocal answered
        async with await anyio.connect_tcp("127.0.0.1", port, local_host=address) as stream:
            answers = BufferedByteReceiveStream(stream)
            due = begun + number / RATE
            while due < begun + seconds:
                await anyio.sleep_until(due)
                await _guess(stream, answers)
                answered += 1
                due += ADDRESSES / RATE

    print("begins", flush=True)
    async with anyio.create_task_group() as group:
        begun = anyio.current_time()
        for number in range(ADDRESSES):
            group.start_soon(guess, f"127.0.1.{number + 1}", number)
    print(answered, flush=True)


async def _guess(stream: SocketStream, answers: BufferedByteReceiveStream) -> None:
    body = b'{"name":"%s","password":"wrong %s"}' % (NAME.encode(), os.urandom(4).hex().encode())
    head = b"POST /api/users/sign_in HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\n"
    await stream.send(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    answer = await answers.receive_until(b"\r\n\r\n", 4_096)
    assert answer.startswith((b"HTTP/1.1 401", b"HTTP/1.1 429")), answer
    length = re.search(rb"content-length: (\d+)", answer)
    assert length is not None
    await answers.receive_exactly(int(length[1]))


if __name__ == "__main__":
    anyio.run(partial(_attack, int(sys.argv[1]), float(sys.argv[2])))
