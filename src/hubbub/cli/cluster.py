"""``hubbub cluster``."""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, Literal

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from ..errors import HubbubError
from ..extras import MissingExtra
from ..local_servers import postgres_server, valkey_server
from .cluster_parts import ClusterPart, NodePart, PostgresPart, ValkeyPart, check_free, start_node
from .cluster_view import ClusterKeys, cluster_table, do_command
from .exit import exit_on_error, fail

__all__ = ["run_cluster"]

# How often the view asks all parts for their figures, in seconds.
LOOK_SECONDS = 1.0
# The number of nodes: each has a digit of its own.
NODES_MAX = 9


def run_cluster(
    nodes: Annotated[
        int, typer.Argument(metavar="N", min=1, max=NODES_MAX, help="How many nodes.")
    ] = 3,
    data: Annotated[
        Path,
        typer.Option(metavar="DIRECTORY", help="Keeps the database and the logs."),
    ] = Path("hubbub-cluster"),
    port: Annotated[
        int,
        typer.Option(metavar="PORT", min=1, max=65_000, help="The first node's port."),
    ] = 8000,
    backend: Annotated[
        Literal["asyncio", "trio"],
        typer.Option(metavar="asyncio|trio", help="The event loop of the nodes."),
    ] = "asyncio",
    demo: Annotated[
        bool,
        typer.Option("--demo", help="Begin with a room, a bot, a leaderboard and products."),
    ] = False,
    bus: Annotated[
        Literal["valkey", "postgres"],
        typer.Option(metavar="valkey|postgres", help="Carries messages between the nodes."),
    ] = "valkey",
) -> None:
    """
    Run several nodes on this machine, with a PostgreSQL and a Valkey of their own.

    It is for trying and testing. You can kill, stop and restart each part, and see what
    happens. In a terminal single keys do that; otherwise lines of the standard input, such
    as `kill 2` or `restart postgres`. Ctrl+C ends everything in order.

    Examples:
        hubbub cluster 3 --demo
        hubbub cluster 2 --bus postgres --data /tmp/cluster
    """
    options = ["--backend", backend, *(["--demo"] if demo else [])]
    with _ended_in_order(), exit_on_error(), ExitStack() as stack:
        try:
            ports = range(port, port + nodes)
            parts = _start(stack, data.resolve(), bus == "valkey", ports, options)
        except MissingExtra as error:
            raise fail(str(error)) from error
        if sys.stdin.isatty() and sys.stdout.isatty():
            _watch_keys(parts)
        else:
            _read_lines(parts)


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """End what the block has started at SIGTERM as at Ctrl+C, and show no traceback."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("All parts have ended.", err=True)
    finally:
        signal.signal(signal.SIGTERM, before)


def _start(
    stack: ExitStack, data: Path, with_valkey: bool, ports: Sequence[int], options: Sequence[str]
) -> list[ClusterPart]:
    for port in ports:
        check_free(port)
    database = stack.enter_context(postgres_server(data / "postgres"))
    urls = {"HUBBUB_DB": database.url}
    servers = [ClusterPart(PostgresPart("postgres", database))]
    if with_valkey:
        valkey = stack.enter_context(valkey_server(data / "valkey"))
        urls["HUBBUB_BUS"] = valkey.url
        servers.append(ClusterPart(ValkeyPart("valkey", valkey)))
    nodes = list[NodePart]()
    # All at once: each lets its clients go first, which takes seconds.
    stack.callback(_close_all, nodes)
    for number, port in enumerate(ports, 1):
        log = data / f"node-{number}.log"
        nodes.append(start_node(f"node {number}", log, port, urls, options))
        typer.echo(f"node {number} serves {nodes[-1].server.url}; its log is {log}")
    return [ClusterPart(node) for node in nodes] + servers


def _close_all(nodes: Sequence[NodePart]) -> None:
    with ThreadPoolExecutor(NODES_MAX) as pool:
        for node in nodes:
            pool.submit(node.server.close)


def _read_lines(parts: Sequence[ClusterPart]) -> None:
    """Do what the lines of the standard input say; when it ends, wait for a signal."""
    typer.echo("All nodes serve.")
    for line in sys.stdin:
        try:
            typer.echo(do_command(parts, line))
        except HubbubError as error:
            typer.echo(error.message, err=True)
    while True:
        signal.pause()


def _watch_keys(parts: Sequence[ClusterPart]) -> None:
    """Show all parts, and do what the keys say, until q or a signal."""
    keys = ClusterKeys(parts)
    with (
        _single_keys(),
        ThreadPoolExecutor(len(parts)) as pool,
        Live(console=Console(highlight=False), auto_refresh=False) as live,
    ):
        next_look = time.perf_counter()
        while True:
            if time.perf_counter() >= next_look:
                list(pool.map(ClusterPart.look, parts))
                next_look = time.perf_counter() + LOOK_SECONDS
            live.update(Group(cluster_table(parts, keys.chosen), Text(keys.said)), refresh=True)
            left = max(0.0, next_look - time.perf_counter())
            if select.select([sys.stdin], [], [], left)[0]:
                key = os.read(sys.stdin.fileno(), 1).decode(errors="replace")
                if not key or not keys.press(key):
                    return


@contextmanager
def _single_keys() -> Iterator[None]:
    """Read single keys from the terminal, without showing them."""
    import termios  # noqa: PLC0415  # there is none on every platform
    import tty  # noqa: PLC0415

    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
