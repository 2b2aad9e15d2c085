"""A real cluster on this machine: PostgreSQL, Valkey, nodes, and the networks between them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

from hubbub.local_servers.postgres import postgres_server
from hubbub.local_servers.server_process import ServerProcess, free_port
from hubbub.local_servers.valkey import valkey_server
from tests.cluster.proxy import Network, network_to
from tests.cluster.serving import BANK_PORT, HOURS_AHEAD
from tests.cluster.standby import Pair, postgres_pair

__all__ = ["Cluster", "Layout", "Node", "real_cluster"]

SERVE = [sys.executable, "-m", "tests.cluster.serving"]
START_SECONDS_MAX = 30.0
# Users do more than people do.
LIMITS = {
    "HUBBUB_REQUESTS_PER_SECOND": "100000",
    "HUBBUB_MESSAGE_LIMIT": "1000000",
    "HUBBUB_CHECKOUT_LIMIT": "1000000",
    "HUBBUB_ORDERS_PER_USER": "1000000",
    "HUBBUB_MATCHES_PER_USER": "1000000",
    "HUBBUB_GUESTS_PER_ADDRESS": "1000000",
    "HUBBUB_PAYMENT_SECONDS_MAX": "3",
}


class Node:
    """
    One ``hubbub serve``, which can be killed and stopped.

    Args:
        arguments: of ``hubbub serve``, besides the port.
        log: the file that its output is appended to.
        environment: more variables of its environment.
    """

    def __init__(
        self, arguments: Sequence[str], log: Path, environment: Mapping[str, str] = {}
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._arguments = arguments
        self._log = log
        self._environment = {**os.environ, **LIMITS, **environment}
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [*SERVE, "serve", "--port", str(self.port), *self._arguments],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
            )

    def wait_until_ready(self) -> None:
        deadline = time.perf_counter() + START_SECONDS_MAX
        while not self.is_healthy():
            assert self.process.poll() is None, self._log.read_text()[-2000:]
            assert time.perf_counter() < deadline, "a node does not start"
            time.sleep(0.02)

    def is_healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=2) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except OSError:
            return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def cont(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def leave(self) -> None:
        """Ask it to end, as an operator does."""
        self.process.terminate()

    def close(self) -> None:
        if self.process.poll() is None:
            self.cont()
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()


@dataclass(frozen=True)
class Layout:
    """
    The parts of a cluster.

    Args:
        bus: True for Valkey, False for PostgreSQL alone.
        standby: whether PostgreSQL has a synchronous standby.
        networks: whether there are networks to PostgreSQL and Valkey that can be troubled.
        ahead: how far the clock of the first node is ahead, in hours.
        nodes: the number of nodes; every other one runs on trio.
        bank: the port of the bank.
        arguments: further arguments of ``hubbub serve``.
    """

    bus: bool = True
    standby: bool = False
    networks: bool = False
    ahead: int = 0
    nodes: int = 3
    bank: int = 0
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cluster:
    """
    The servers, and the nodes that use them.

    Args:
        url: of the journal, for tests that no network troubles.
        postgres: keeps the journal.
        valkey: the bus; None if PostgreSQL is the bus as well.
        nodes: the nodes.
        pair: PostgreSQL with its standby, if it has one.
        to_postgres: the network between the nodes and PostgreSQL.
        to_valkey: the network between the nodes and Valkey.
    """

    url: str
    postgres: ServerProcess
    valkey: ServerProcess | None
    nodes: Sequence[Node]
    pair: Pair | None = None
    to_postgres: Network | None = None
    to_valkey: Network | None = None


@contextmanager
def real_cluster(
    directory: Path, layout: Layout = Layout(), random: Random | None = None
) -> Iterator[Cluster]:
    """
    Start everything, and end it at the exit.

    Args:
        directory: of the data and the logs; PostgreSQL's user must be able to reach it.
        layout: what to start.
        random: draws what the networks cut.
    """
    random = random or Random(0)
    with ExitStack() as stack:
        pair = stack.enter_context(postgres_pair(directory)) if layout.standby else None
        if pair is None:
            postgres = stack.enter_context(postgres_server(directory / "postgres"))
        else:
            postgres = pair.primary
        url = pair.url if pair else postgres.url
        valkey = stack.enter_context(valkey_server(directory / "valkey")) if layout.bus else None

        def network(server: ServerProcess | None) -> Network | None:
            if server is None or not layout.networks:
                return None
            return stack.enter_context(network_to(server.port, random))

        # A pair is reached at two addresses, and has no network.
        to_postgres, to_valkey = network(None if pair else postgres), network(valkey)
        place = ["--db", through(url, to_postgres)]
        place += ["--bus", through(valkey.url, to_valkey)] if valkey else []
        started = []
        for number in range(layout.nodes):
            backend = ("asyncio", "trio")[number % 2]
            given = [*place, "--backend", backend, *layout.arguments]
            ahead = 0 if number else layout.ahead
            environment = {BANK_PORT: str(layout.bank), HOURS_AHEAD: str(ahead)}
            node = Node(given, directory / f"node{number}.log", environment)
            stack.callback(node.close)
            started.append(node)
        for node in started:
            node.wait_until_ready()
        yield Cluster(url, postgres, valkey, started, pair, to_postgres, to_valkey)


def through(url: str, network: Network | None) -> str:
    """Return a server's URL by way of a network."""
    if network is None:
        return url
    return url.replace(f":{urlsplit(url).port}/", f":{network.port}/")
