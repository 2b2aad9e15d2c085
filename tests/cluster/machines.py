"""A real cluster on this machine: PostgreSQL, Valkey, nodes, and a load balancer before them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import anyio
from anyio.abc import SocketAttribute, SocketStream

from hubbub.local_servers.postgres import postgres_server
from hubbub.local_servers.server_process import ServerProcess, free_port
from hubbub.local_servers.valkey import valkey_server

__all__ = ["Balancer", "Cluster", "Node", "balanced", "real_cluster"]

SERVE = [sys.executable, "-m", "hubbub.cli", "serve"]
START_SECONDS_MAX = 30.0
CUT = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError, OSError)


class Node:
    """
    One ``hubbub serve``, which can be killed and stopped.

    Args:
        arguments: of ``hubbub serve``, besides the port.
        log: the file that its output is appended to.
    """

    def __init__(self, arguments: Sequence[str], log: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.is_stopped = False
        self._arguments = arguments
        self._log = log
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [*SERVE, "--port", str(self.port), *self._arguments],
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "HUBBUB_REQUESTS_PER_SECOND": "100000"},
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

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None and not self.is_stopped

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        self.is_stopped = True
        self.process.send_signal(signal.SIGSTOP)

    def cont(self) -> None:
        self.is_stopped = False
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


class Cluster:
    """
    The servers, and the nodes that use them.

    Args:
        postgres: keeps the journal.
        valkey: the bus; None if PostgreSQL is the bus as well.
        nodes: the nodes.
    """

    def __init__(
        self, postgres: ServerProcess, valkey: ServerProcess | None, nodes: Sequence[Node]
    ) -> None:
        self.postgres = postgres
        self.valkey = valkey
        self.nodes = nodes


@contextmanager
def real_cluster(
    directory: Path, nodes: int = 3, *, bus: bool = True, arguments: Sequence[str] = ()
) -> Iterator[Cluster]:
    """
    Start everything, and end it at the exit.

    Args:
        directory: of the data and the logs; PostgreSQL's user must be able to reach it.
        nodes: the number of nodes; every other one runs on trio.
        bus: True for Valkey, False for PostgreSQL alone.
        arguments: further arguments of ``hubbub serve``.
    """
    with ExitStack() as stack:
        postgres = stack.enter_context(postgres_server(directory / "postgres"))
        valkey = stack.enter_context(valkey_server(directory / "valkey")) if bus else None
        place = ["--db", postgres.url, *(("--bus", valkey.url) if valkey else ())]
        started = []
        for number in range(nodes):
            backend = ("asyncio", "trio")[number % 2]
            given = [*place, "--backend", backend, *arguments]
            node = Node(given, directory / f"node{number}.log")
            stack.callback(node.close)
            started.append(node)
        for node in started:
            node.wait_until_ready()
        yield Cluster(postgres, valkey, started)


class Balancer:
    """
    Hands each connection on to a node that accepts it, by turns.

    Args:
        ports: where the nodes listen.
    """

    def __init__(self, ports: Sequence[int]) -> None:
        self.url = ""
        # Connections to nodes that do not answer end, as a balancer with health checks does it.
        self.down: set[int] = set()
        self._ports = ports
        self._next = 0
        self._scopes: dict[anyio.CancelScope, int] = {}

    def take_down(self, port: int) -> None:
        """Send nothing more to a node, and end its connections."""
        self.down.add(port)
        for scope, its_port in list(self._scopes.items()):
            if its_port == port:
                scope.cancel()

    def put_up(self, port: int) -> None:
        """Send connections to a node again."""
        self.down.discard(port)

    async def serve(self, client: SocketStream) -> None:
        """Connect a client with some node."""
        async with client:
            for _ in self._ports:
                port = self._ports[self._next % len(self._ports)]
                self._next += 1
                if port in self.down:
                    continue
                try:
                    server = await anyio.connect_tcp("127.0.0.1", port)
                except OSError:
                    continue
                await self._connect(client, server, port)
                return

    async def _connect(self, client: SocketStream, server: SocketStream, port: int) -> None:
        async with server:
            with anyio.CancelScope() as scope:
                self._scopes[scope] = port
                try:
                    async with anyio.create_task_group() as tasks:
                        tasks.start_soon(_hand_on, client, server, scope)
                        tasks.start_soon(_hand_on, server, client, scope)
                finally:
                    del self._scopes[scope]


async def _hand_on(source: SocketStream, sink: SocketStream, scope: anyio.CancelScope) -> None:
    try:
        while True:
            await sink.send(await source.receive())
    except CUT:
        scope.cancel()


@asynccontextmanager
async def balanced(ports: Sequence[int]) -> AsyncIterator[Balancer]:
    """Put a load balancer before nodes."""
    balancer = Balancer(ports)
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        port = listener.extra(SocketAttribute.local_port)  # noqa: S610  # no database here
        balancer.url = f"http://127.0.0.1:{port}"
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, balancer.serve)
            yield balancer
            tasks.cancel_scope.cancel()
