"""
Whatever one client does, the server keeps its memory and another user is served in time.

``nox -s attack -- SECONDS [NAME]`` runs each attack for some seconds, by HUBBUB_ATTACK_SECONDS,
on each event loop, and prints what it has cost. A long run is strict about time; a short one
shares its machine with others.
"""

from __future__ import annotations

import os
import resource
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.attack.by_command import BY_COMMAND
from tests.attack.by_crowd import BY_CROWD
from tests.attack.by_http import BY_HTTP
from tests.attack.by_socket import BY_SOCKET
from tests.attack.target import Attack, Target
from tests.blackbox.served import Backend, Served, served
from tests.blackbox.witness import witnessing

SECONDS: Final = float(os.environ.get("HUBBUB_ATTACK_SECONDS") or 2.0)
LONG_SECONDS: Final = 15.0

# What the server may need more than when it is idle, in MiB.
MEMORY_MAX: Final = 150.0
# What another user may wait for a command; a sign-in has several, and is asked for less often.
P99_SECONDS_MAX: Final = 0.25 if SECONDS >= LONG_SECONDS else 1.0
SIGN_IN_SECONDS_MAX: Final = 8 * P99_SECONDS_MAX

ATTACKS: Final = BY_SOCKET | BY_HTTP | BY_COMMAND | BY_CROWD

pytestmark = pytest.mark.timeout(120 + 5 * SECONDS)


@pytest.fixture(autouse=True, scope="module")
def _many_descriptors() -> Iterator[None]:
    """Let the attackers open as many connections as the system gives."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def server(backend: Backend, tmp_path: Path) -> Iterator[Served]:
    """Serve as `hubbub serve` does by itself; on asyncio by uvloop."""
    # The time is the attack's: an interpreter would begin half as long as some of them last.
    with served(backend, tmp_path, "--demo", warm=True) as server:
        yield server


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_nobody_else_notices(server: Served, attack: Attack) -> None:
    target = Target(server, SECONDS)
    with witnessing(server.port) as witness:
        target.begin()
        grown = growth_during(target, attack)
        seen = witness.ask()
    cost = f"{server.backend} {attack.__name__}: {grown:+.0f} MiB, {seen}"
    print(cost)  # noqa: T201

    assert server.alive, server.log[-2_000:]
    assert not server.tracebacks, cost
    assert not seen.errors, cost
    assert grown <= MEMORY_MAX, cost
    assert seen.p99 <= P99_SECONDS_MAX, cost
    assert seen.sign_in_max <= SIGN_IN_SECONDS_MAX, cost


def growth_during(target: Target, attack: Attack) -> float:
    """Attack; return the most memory that the server had more than before, in MiB."""
    thread = threading.Thread(target=target.attempt, args=[lambda: attack(target)])
    thread.start()
    while thread.is_alive():
        target.measure()
        time.sleep(0.02)
    return target.grown
