"""Clusters of Valkey servers, and sentinels, that fail over quickly."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from hubbub.local_servers import ServerProcess, valkey_server
from hubbub.local_servers.server_process import free_port
from tests.local_servers.installed import valkey_binary
from tests.local_servers.places import reachable

__all__ = ["SERVICE", "Watched", "ask", "one_server", "password", "valkey_cluster", "watched"]

SERVICE = "main"
PASSWORD = "secret"
SLOTS = 16_384
PRIMARIES = 3
SECONDS_MAX = 15.0
CLUSTERED = {
    "cluster-enabled": "yes",
    # A server that is silent for so many milliseconds is dead to the others.
    "cluster-node-timeout": "1000",
    "cluster-replica-validity-factor": "0",
}
REPLICATED = {
    "requirepass": PASSWORD,
    "masterauth": PASSWORD,
    "repl-diskless-sync-delay": "0",
}


@contextmanager
def one_server(**settings: str) -> Iterator[ServerProcess]:
    """Run a server until the exit."""
    given = {name.replace("_", "-"): value for name, value in settings.items()}
    with (
        reachable() as place,
        valkey_server(place, settings=given, binary=valkey_binary()) as server,
    ):
        yield server


def password(server: ServerProcess) -> str:
    return server.url.split("@")[0].removeprefix("redis://:")


def ask(server: ServerProcess, *commands: str) -> str:
    """Send commands to a server, or to a sentinel, and return all that it answers."""
    lines = [f"AUTH {password(server)}", *commands]
    with socket.create_connection(("127.0.0.1", server.port), SECONDS_MAX) as connection:
        connection.sendall("".join(f"{line}\r\n" for line in lines).encode())
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while received := connection.recv(65536):
            answer += received
    return answer.decode()


def wait(holds: Callable[[], bool]) -> None:
    """Wait, in a thread, until something holds."""
    deadline = time.perf_counter() + SECONDS_MAX
    while not holds():
        assert time.perf_counter() < deadline
        time.sleep(0.02)


# A cluster


@contextmanager
def valkey_cluster(
    primaries: int = 3, *, replicated: bool = False
) -> Iterator[list[ServerProcess]]:
    """Run a cluster of three servers; if it is replicated, the last is a replica of the first."""
    with ExitStack() as stack:
        ports = [free_port() for _ in range(PRIMARIES + replicated)]
        servers = [
            stack.enter_context(one_server(**CLUSTERED, **REPLICATED, cluster_port=str(port)))
            for port in ports
        ]
        for server, port in zip(servers, ports, strict=True):
            ask(servers[0], f"CLUSTER MEET 127.0.0.1 {server.port} {port}")
        for n, server in enumerate(servers[:PRIMARIES]):
            first, last = n * SLOTS // PRIMARIES, (n + 1) * SLOTS // PRIMARIES - 1
            ask(server, f"CLUSTER SET-CONFIG-EPOCH {n + 1}")
            ask(server, f"CLUSTER ADDSLOTSRANGE {first} {last}")
        wait(lambda: all(_is_complete(server, servers) for server in servers))
        if replicated:
            ask(servers[-1], f"CLUSTER REPLICATE {node_id(servers[0])}")
            wait(lambda: "master_link_status:up" in ask(servers[-1], "INFO replication"))
            # The others vote only for a replica that they know.
            wait(lambda: all("slave" in ask(one, "CLUSTER NODES") for one in servers))
        yield servers


def node_id(server: ServerProcess) -> str:
    return ask(server, "CLUSTER MYID").split("\r\n")[2]


def _is_complete(server: ServerProcess, servers: Sequence[ServerProcess]) -> bool:
    info = ask(server, "CLUSTER INFO")
    return "cluster_state:ok" in info and f"cluster_known_nodes:{len(servers)}" in info


# Sentinels


class Watched:
    """
    A primary and its replica, with sentinels that watch them.

    Args:
        servers: the primary and the replica.
        sentinels: their processes.
    """

    def __init__(
        self, servers: Sequence[ServerProcess], sentinels: Sequence[ServerProcess]
    ) -> None:
        self.primary, self.replica = servers
        self.sentinels = sentinels
        hosts = ",".join(f"127.0.0.1:{one.port}" for one in sentinels)
        self.url = f"redis+sentinel://:{PASSWORD}@{hosts}/{SERVICE}"


@contextmanager
def watched(*, sentinels: int = 3, sentinel_password: str = "") -> Iterator[Watched]:
    """Run a primary, a replica and sentinels that know one another."""
    with ExitStack() as stack:
        primary = stack.enter_context(one_server(**REPLICATED))
        of = f"127.0.0.1 {primary.port}"
        replica = stack.enter_context(one_server(**REPLICATED, replicaof=of))
        wait(lambda: "master_link_status:up" in ask(replica, "INFO replication"))
        watching = [
            stack.enter_context(_sentinel(primary, sentinel_password)) for _ in range(sentinels)
        ]
        ready = f"slaves=1,sentinels={sentinels}"
        wait(lambda: all(ready in ask(one, "INFO sentinel") for one in watching))
        yield Watched((primary, replica), watching)


@contextmanager
def _sentinel(primary: ServerProcess, own_password: str) -> Iterator[ServerProcess]:
    with reachable() as place:
        # It writes its configuration anew, also as another user.
        place.chmod(0o777)
        config = place / "sentinel.conf"
        lines = [
            f"sentinel monitor {SERVICE} 127.0.0.1 {primary.port} 1",
            f"sentinel auth-pass {SERVICE} {PASSWORD}",
            f"sentinel down-after-milliseconds {SERVICE} 500",
            # If each sentinel votes for itself, they vote again after twice this time.
            f"sentinel failover-timeout {SERVICE} 1000",
        ]
        if own_password:
            lines += [f"requirepass {own_password}", f"sentinel sentinel-pass {own_password}"]
        config.write_text("".join(f"{line}\n" for line in lines))
        config.chmod(0o666)

        def program(port: int) -> list[str]:
            return [str(valkey_binary()), str(config), "--sentinel", "--port", str(port)]

        def ready(_pid: int, _port: int) -> bool:
            return "monitor master" in (place / "log").read_text()

        running = ServerProcess(
            program, lambda _: f"redis://:{own_password or 'any'}@127.0.0.1", place / "log", ready
        )
        try:
            yield running
        finally:
            running.close()
