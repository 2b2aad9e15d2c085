"""Figures of a server: many sockets, a load generator on the other core."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import msgspec
from websockets.sync.client import connect

import hubbub
from hubbub.server.auth.tokens import Tokens
from tests.bench.table import Row

__all__ = ["CASES", "FOLLOW", "JOIN", "SEND", "SIGN_IN", "load_generator", "measure", "serving"]

# What a figure is, the load generator's arguments, and what is wanted on each backend.
CASES: dict[str, tuple[str, list[str], dict[str, float]]] = {
    "A": (
        "A: 100 sockets, 64 messages under way",
        ["--n", "100", "--window", "64"],
        {"asyncio": 3_000_000, "trio": 900_000},
    ),
    "B": (
        "B: 1,000 sockets, 1 message under way",
        ["--n", "1000", "--window", "1"],
        {"asyncio": 120_000, "trio": 30_000},
    ),
    "C": (
        "C: 1,000 sockets, 64 messages under way",
        ["--n", "1000", "--window", "64"],
        {"asyncio": 3_000_000, "trio": 900_000},
    ),
    "E": (
        "E: 5,000 sockets, 16 messages under way",
        ["--n", "5000", "--window", "16"],
        {"asyncio": 1_000_000},
    ),
    "idle": (
        "an idle connection",
        ["--mode", "idle", "--n", "5000", "--settle", "1.5"],
        {"asyncio": 10},
    ),
    "durable": (
        "64 connections that wait for their acknowledgement",
        ["--mode", "rr", "--n", "64"],
        {"asyncio": 12_000, "trio": 6_000},
    ),
    "resume": (
        "resumes with 100 missed messages, 16 workers",
        ["--mode", "resume", "--n", "16", "--expect", "100"],
        {"asyncio": 3_500},
    ),
}

# On disk what must be durable; the fan-out cases measure the fan-out.
ON_DISK = ("durable", "resume")
WORKERS = 16
MISSED = 100
RUNS = 3

SIGN_IN = '{"jsonrpc":"2.0","id":1,"method":"session.sign_in","params":%s}'
JOIN = '{"jsonrpc":"2.0","id":2,"method":"chat.join","params":{"room_id":"%s"}}'
FOLLOW = '{"jsonrpc":"2.0","id":3,"method":"session.follow","params":%s}'
SEND = '{"jsonrpc":"2.0","id":%%n,"method":"chat.send","params":{"room_id":"%s","text":"%%M"}}'


def measure(case: str, backend: str, seconds: float) -> list[Row]:
    """Run one case some times, each on a server of its own, and take the median."""
    what, arguments, wanted = CASES[case]
    results = [_run(case, backend, [*arguments, "--dur", str(seconds)]) for _ in range(RUNS)]
    key, unit = {
        "idle": ("kb_per_conn", "KB"),
        "durable": ("ops_s", "commands/s"),
        "resume": ("ops_s", "resumes/s"),
    }.get(case, ("deliv_s", "deliveries/s"))
    lost = sum(result.get("lost", 0) + result.get("errs", 0) for result in results)
    value = statistics.median(result[key] for result in results)
    name = f"{what} ({lost} lost)" if lost else what
    return [Row(name, backend, value, unit, wanted.get(backend, 0), most=case == "idle")]


def _run(case: str, backend: str, arguments: list[str]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        on_disk = case in ON_DISK
        database = f"{folder}/bench.db" if on_disk else "memory://"
        room = anyio.run(_prepare, folder) if on_disk else ""
        cores = {0, 1} if case == "durable" else {0}
        with serving(database, backend, cores) as (port, pid), contextlib.ExitStack() as stack:
            room = room or _make_room(stack, port)
            steps = Path(folder) / "steps.txt"
            steps.write_text(_steps(case, room))
            command = [load_generator(), "--port", str(port), "--pids", str(pid)]
            command += ["--hs", str(steps), "--warm", "0.7", *arguments]
            command += ["--pub", SEND % room, "--req", SEND % room, "--ack", '"id":']
            if case == "resume":
                command += ["--paths", f"{folder}/paths.tsv"]
            return _generate(command)


def _generate(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=True,
        timeout=180,
        preexec_fn=lambda: os.sched_setaffinity(0, {1}),
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _steps(case: str, room: str) -> str:
    stream = f"room/{room}"
    guest, token = SIGN_IN % '{"nickname":"u%i"}', SIGN_IN % '{"token":"%1"}'
    missed = FOLLOW % f'{{"stream":"{stream}","after":%2}}'
    # An idle one follows what nothing happens in: any frame is taken for an answer.
    quiet, follow = FOLLOW % '{"stream":"index/rooms"}', FOLLOW % f'{{"stream":"{stream}"}}'
    steps = {
        "resume": [f"SEND {token}", 'WAIT "result"', f"SEND {missed}"],
        "idle": [f"SEND {guest}", 'WAIT "result"', f"SEND {quiet}", 'WAIT "head"'],
    }
    join = [f"SEND {guest}", 'WAIT "result"', f"SEND {JOIN % room}", 'WAIT "id":2']
    join += [f"SEND {follow}", 'WAIT "head"']
    return "\n".join(["UPGRADE /ws", *steps.get(case, join)]) + "\n"


async def _prepare(folder: str) -> str:
    """Make a room with messages, and tokens of users who have missed them."""
    settings = hubbub.Settings(message_limit=10**7, message_period=1.0)
    async with hubbub.open(f"{folder}/bench.db", settings=settings) as hub:
        tokens = Tokens(hub.journal.store.secret, settings)
        async with hub.session("root") as root:
            room = await root.chat.create_room("bench")
            for number in range(WORKERS):
                async with hub.session(f"w{number}") as worker:
                    await worker.chat.join(room.id)
            last = (await root.read(room.stream, limit=500))[-1].seq
            lines = [f"{tokens.sign(f'w{number}')}\t{last}\n" for number in range(WORKERS)]
            for number in range(MISSED):
                await root.chat.send(room.id, f"@@{number:016x}" + "x" * 110)
    (Path(folder) / "paths.tsv").write_text("".join(lines))
    return room.id


def _make_room(stack: contextlib.ExitStack, port: int) -> str:
    socket = stack.enter_context(connect(f"ws://127.0.0.1:{port}/ws", max_size=None))
    socket.send(SIGN_IN % '{"nickname":"root"}')
    socket.recv()
    socket.send('{"jsonrpc":"2.0","id":2,"method":"chat.create_room","params":{"name":"bench"}}')
    return str(msgspec.json.decode(socket.recv())["result"]["id"])


@contextlib.contextmanager
def serving(database: str, backend: str, cores: set[int]) -> Iterator[tuple[int, int]]:
    """Serve on some cores; gives the port and the process's number."""
    command = [sys.executable, "-m", "hubbub.cli", "serve", "--db", database, "--port", "0"]
    command += ["--backend", backend]
    for setting in ("message_limit=10000000", "message_period=1", "requests_per_second=10000000"):
        command += ["--set", setting]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),  # noqa: PLW1509
    ) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        try:
            port = int(line.partition("http://127.0.0.1:")[2].split()[0])
            yield port, server.pid
        finally:
            server.terminate()


def load_generator() -> str:
    """Compile it once, into the temporary directory."""
    built = Path(tempfile.gettempdir()) / "hubbub-lg"
    source = Path(__file__).with_name("lg.c")
    if not built.exists() or built.stat().st_mtime < source.stat().st_mtime:
        compiler = shutil.which("cc")
        assert compiler is not None, "a C compiler is needed for the load generator"
        subprocess.run([compiler, "-O2", "-o", str(built), str(source)], check=True)
    return str(built)
