"""Figures of a server: many sockets, a load generator on the other core."""

from __future__ import annotations

import contextlib
import json
import os
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
from tests.bench.floors import compiled, reference
from tests.bench.table import Row

__all__ = [
    "CASES",
    "DURABLE_SOCKETS",
    "FAN_OUT",
    "FOLLOW",
    "JOIN",
    "MISSED",
    "SEND",
    "SIGN_IN",
    "command_for",
    "deliveries",
    "generate",
    "in_c",
    "make_room",
    "measure",
    "serving",
    "steps_of",
]

DURABLE_SOCKETS = 64
# What a figure is, and the load generator's arguments.
CASES: dict[str, tuple[str, list[str]]] = {
    "A": ("A: 100 sockets, 64 messages under way", ["--n", "100", "--window", "64"]),
    "B": ("B: 1,000 sockets, 1 message under way", ["--n", "1000", "--window", "1"]),
    "C": ("C: 1,000 sockets, 64 messages under way", ["--n", "1000", "--window", "64"]),
    "E": ("E: 5,000 sockets, 16 messages under way", ["--n", "5000", "--window", "16"]),
    "idle": ("an idle connection", ["--mode", "idle", "--n", "5000", "--settle", "1.5"]),
    "durable": (
        "64 connections that wait for their acknowledgement",
        ["--mode", "rr", "--n", f"{DURABLE_SOCKETS}"],
    ),
    "resume": (
        "resumes with 100 missed messages, 16 workers",
        ["--mode", "resume", "--n", "16", "--expect", "100"],
    ),
}
# What the server in C does as well, and the least part of it that Hubbub has to reach.
FAN_OUT = {
    "A": {"asyncio": 0.7, "trio": 0.4},
    "B": {"asyncio": 0.85, "trio": 0.7},
    "C": {"asyncio": 1.0, "trio": 0.7},
    "E": {"asyncio": 1.0, "trio": 0.7},
}
ALONE: dict[str, dict[str, float]] = {
    "idle": {"asyncio": 6, "trio": 10},
    "resume": {"asyncio": 4_000, "trio": 2_500},
}

# On disk what must be durable; the fan-out cases measure the fan-out.
ON_DISK = ("durable", "resume")
WORKERS = 16
MISSED = 100

SIGN_IN = '{"jsonrpc":"2.0","id":1,"method":"session.sign_in","params":%s}'
JOIN = '{"jsonrpc":"2.0","id":2,"method":"chat.join","params":{"room_id":"%s"}}'
FOLLOW = '{"jsonrpc":"2.0","id":3,"method":"session.follow","params":%s}'
SEND = '{"jsonrpc":"2.0","id":%%n,"method":"chat.send","params":{"room_id":"%s","text":"%%M"}}'


def measure(case: str, backend: str, seconds: float, *, on_disk: bool = False) -> list[Row]:
    """Run one case, on a server of its own."""
    what, arguments = CASES[case]
    result = _run(case, backend, [*arguments, "--dur", str(seconds)], on_disk=on_disk)
    key, unit = {
        "idle": ("kb_per_conn", "KB"),
        "durable": ("ops_s", "commands/s"),
        "resume": ("ops_s", "resumes/s"),
    }.get(case, ("deliv_s", "deliveries/s"))
    lost = result.get("lost", 0) + result.get("errs", 0)
    name = f"{what}{', on disk' if on_disk else ''}" + (f" ({lost} lost)" if lost else "")
    wanted = ALONE.get(case, {}).get(backend, 0)
    return [Row(name, backend, result[key], unit, wanted, most=case == "idle")]


def in_c(case: str, seconds: float) -> float:
    """Run a case of a fan-out with the server in C; return its deliveries a second."""
    return deliveries(case, seconds, reference(core=0))


def deliveries(
    case: str, seconds: float, server: contextlib.AbstractContextManager[tuple[int, int]]
) -> float:
    """Run a case of a fan-out with a server that sends every message to every socket."""
    _, arguments = CASES[case]
    with tempfile.TemporaryDirectory() as folder, server as (port, pid):
        steps = Path(folder) / "steps.txt"
        steps.write_text("UPGRADE /ws\n")
        command = command_for(port, pid, steps, "bench", [*arguments, "--dur", str(seconds)])
        return float(generate(command)["deliv_s"])


def _run(case: str, backend: str, arguments: list[str], *, on_disk: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        prepared = case in ON_DISK
        database = f"{folder}/bench.db" if prepared or on_disk else "memory://"
        room = anyio.run(_prepare, folder) if prepared else ""
        cores = {0, 1} if case == "durable" else {0}
        with serving(database, backend, cores) as (port, pid), contextlib.ExitStack() as stack:
            room = room or make_room(stack, port)
            steps = Path(folder) / "steps.txt"
            steps.write_text(steps_of(case, room))
            command = command_for(port, pid, steps, room, arguments)
            if case == "resume":
                command += ["--paths", f"{folder}/paths.tsv"]
            return generate(command)


def command_for(port: int, pid: int, steps: Path, room: str, arguments: list[str]) -> list[str]:
    """Return the load generator's command line."""
    words = [compiled("lg.c"), "--port", str(port), "--pids", str(pid)]
    words += ["--hs", str(steps), "--warm", "0.7", *arguments]
    return [*words, "--pub", SEND % room, "--req", SEND % room, "--ack", '"id":']


def generate(command: list[str]) -> dict[str, Any]:
    """Run the load generator; return its figures."""
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


def steps_of(case: str, room: str) -> str:
    """Return what each connection does first, a step a line."""
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


def make_room(stack: contextlib.ExitStack, port: int) -> str:
    """Make a room on a server; return its id."""
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
