"""Workers of an application that embeds the library are one system."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2
import psycopg
import pytest

from hubbub.local_servers.server_process import free_port
from tests.cluster.embedding import DATABASE

# The kernel gives each connection to some worker; so many are not all with one.
FOLLOWERS_MAX = 100
START_SECONDS_MAX = 30.0
PAUSE_SECONDS = 0.05
WORKERS = 2
STOP_SOON = ("--timeout-graceful-shutdown", "1")


@pytest.fixture
def database(postgres_url: str) -> Iterator[str]:
    """Make a database of its own."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE workers")
        yield f"{postgres_url.rpartition('/')[0]}/workers"
        connection.execute("DROP DATABASE workers WITH (FORCE)")


@contextmanager
def workers(database: str, log: Path) -> Iterator[str]:
    """Run the application in several processes; gives its address."""
    port = str(free_port())
    program = ["-m", "uvicorn", "tests.cluster.embedding:app", "--port", port]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *program, "--workers", str(WORKERS), *STOP_SOON],
            env={**os.environ, DATABASE: database},
            stdout=output,
            stderr=output,
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(START_SECONDS_MAX)


def create_room(client: httpx2.Client) -> str:
    """Make a room, as soon as the application answers."""
    deadline = time.perf_counter() + START_SECONDS_MAX
    while True:
        try:
            return str(client.post("/rooms").json())
        except httpx2.TransportError:
            assert time.perf_counter() < deadline, "the application does not start"
            time.sleep(PAUSE_SECONDS)


@pytest.mark.timeout(60)
def test_a_message_sent_to_one_worker_reaches_a_follower_at_the_other(
    database: str, tmp_path: Path
) -> None:
    with (
        workers(database, tmp_path / "log") as address,
        httpx2.Client(base_url=address, timeout=20) as client,
        ExitStack() as stack,
    ):
        room = create_room(client)
        client.post(f"/rooms/{room}/say?text=first")

        followers = dict[str, Iterator[str]]()
        for _ in range(FOLLOWERS_MAX):
            heard = stack.enter_context(client.stream("GET", f"/rooms/{room}/hear"))
            lines = heard.iter_lines()
            followers[next(lines)] = lines
            if len(followers) == WORKERS:
                break
        # What they have read of the past shows that they follow.
        before = [next(lines) for lines in followers.values()]
        sender = str(client.post(f"/rooms/{room}/say?text=second").json())
        after = [next(lines) for lines in followers.values()]

        assert len(followers) == WORKERS
        assert sender in followers
        assert (before, after) == (["first"] * WORKERS, ["second"] * WORKERS)
