"""
Junk hurts nobody: the server lives, serves others in time, logs no traceback, keeps nothing.

HUBBUB_JUNK_CONNECTIONS is how many connections there are, HUBBUB_JUNK_SEED what they are drawn
from; ``nox -s junk -- 20000 SEED`` sets both. Without a seed another one is drawn each time.
"""

from __future__ import annotations

import contextlib
import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from random import SystemRandom
from typing import NamedTuple

import pytest

from tests.blackbox.raw import Raw
from tests.blackbox.served import Backend, Served, served
from tests.blackbox.witness import witnessing
from tests.faults.junk import Read, Script, Send, script_of

CONNECTIONS = int(os.environ.get("HUBBUB_JUNK_CONNECTIONS") or 300)
SEED = int(os.environ.get("HUBBUB_JUNK_SEED") or SystemRandom().randrange(1 << 32))

# So many are sent first: the server opens what it needs anyway, and that is not counted.
WARM_UP = 100
THREADS = 8
# An answer is waited for so long, and then the rest is sent.
READ_SECONDS_MAX = 0.05
# Some connections are left open while others come.
STAYING_MAX = 24

RELEASE_SECONDS_MAX = 30.0
MEMORY_MAX = 64.0
# A machine that runs the other tests as well is slow; `nox -s attack` is strict.
P99_SECONDS_MAX = 1.0
# A pool of readers may open one more file.
DESCRIPTORS_SPARE = 6

ADDRESS = "127.0.9.9"

pytestmark = pytest.mark.timeout(90 + CONNECTIONS / 20)


class Outcome(NamedTuple):
    """The observations of the server."""

    seed: int
    alive: bool
    tracebacks: list[str]
    descriptors: tuple[int, int]
    memory: tuple[float, float]
    errors: list[str]
    p99: float
    sign_in_max: float
    exit_code: int


@pytest.fixture(scope="module")
def outcome(backend: Backend, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Send all the junk once; the tests then examine the server."""
    with served(backend, tmp_path_factory.mktemp("junk")) as server:
        return attack(server)


def test_the_server_lives(outcome: Outcome) -> None:
    assert outcome.alive, outcome


def test_there_is_no_traceback_in_the_log(outcome: Outcome) -> None:
    assert not outcome.tracebacks, outcome


def test_every_descriptor_is_given_back(outcome: Outcome) -> None:
    before, after = outcome.descriptors

    assert after <= before + DESCRIPTORS_SPARE, outcome


def test_the_memory_does_not_grow(outcome: Outcome) -> None:
    before, after = outcome.memory

    assert after - before <= MEMORY_MAX, outcome


def test_another_user_notices_nothing(outcome: Outcome) -> None:
    assert not outcome.errors, outcome
    assert outcome.p99 <= P99_SECONDS_MAX, outcome
    assert outcome.sign_in_max <= 4 * P99_SECONDS_MAX, outcome


def test_the_server_stops_in_good_order(outcome: Outcome) -> None:
    assert outcome.exit_code == 0, outcome


@pytest.mark.parametrize("number", range(50))
def test_a_script_is_the_same_for_the_same_seed(number: int) -> None:
    assert script_of(1, number) == script_of(1, number)


def test_scripts_are_of_all_kinds() -> None:
    scripts = [script_of(SEED, number) for number in range(2_000)]

    assert {script.end for script in scripts} == {"close", "reset", "half-close", "stay"}
    assert {type(step) for script in scripts for step in script.steps} == {Read, Send}


def attack(server: Served) -> Outcome:
    print(f"junk: {CONNECTIONS} connections on {server.backend}, seed {SEED}")  # noqa: T201
    with witnessing(server.port) as witness:
        play(server, range(-WARM_UP, 0))
        descriptors, memory = measure(server, 0, 1.0)
        play(server, range(CONNECTIONS))
        after, grown = measure(server, descriptors + DESCRIPTORS_SPARE, RELEASE_SECONDS_MAX)
        seen = witness.ask()
    alive = server.alive
    return Outcome(
        seed=SEED,
        alive=alive,
        descriptors=(descriptors, after),
        memory=(memory, grown),
        errors=seen.errors[:5],
        p99=seen.p99,
        sign_in_max=seen.sign_in_max,
        exit_code=server.stop(),
        tracebacks=server.tracebacks[:20],
    )


def measure(server: Served, descriptors: int, seconds_max: float) -> tuple[int, float]:
    """Wait until no more descriptors are open; return how many are, and how much memory."""
    if not server.alive:
        return 0, 0.0
    return server.wait_for_descriptors(descriptors, seconds_max), server.memory


def play(server: Served, numbers: range) -> None:
    """Play scripts, some at a time; stop if the server is dead."""
    staying: deque[Raw] = deque()
    with ThreadPoolExecutor(THREADS) as threads:
        for _ in threads.map(partial(play_one, server, staying), numbers):
            if not server.alive:
                threads.shutdown(cancel_futures=True)
                break
    for client in staying:
        client.close()


def play_one(server: Served, staying: deque[Raw], number: int) -> None:
    with contextlib.suppress(OSError):
        client = Raw(server.port, source=ADDRESS)
        script = script_of(SEED, number)
        try:
            act(client, script)
        finally:
            end(client, script, staying)


def act(client: Raw, script: Script) -> None:
    client.socket.settimeout(READ_SECONDS_MAX)
    for step in script.steps:
        match step:
            case Send(data):
                client.socket.sendall(data)
            case Read(bytes_max):
                with contextlib.suppress(TimeoutError):
                    client.socket.recv(bytes_max)


def end(client: Raw, script: Script, staying: deque[Raw]) -> None:
    match script.end:
        case "reset":
            client.reset()
        case "stay":
            staying.append(client)
            while len(staying) > STAYING_MAX:
                with contextlib.suppress(IndexError):
                    staying.popleft().close()
        case "half-close":
            client.half_close()
            with contextlib.suppress(OSError):
                client.socket.recv(4_096)
            client.close()
        case "close":
            client.close()
