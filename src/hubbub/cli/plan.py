"""``hubbub plan``."""

from __future__ import annotations

import math
from typing import Annotated, NamedTuple

import typer
from rich.console import Console
from rich.table import Table

from ..errors import Invalid
from ..settings import Settings
from .exit import exit_on_error

__all__ = ["FIGURES", "ClusterPlan", "Figure", "plan_cluster", "plan_of"]

DAY_SECONDS = 86_400
MICROSECOND = 1e-6
# The part of a node's memory that its connections may take; the rest is for states and peaks.
CONNECTIONS_SHARE = 0.5
# The part of its time that a processor may be busy; the rest is for peaks.
BUSY_SHARE = 0.5


class Figure(NamedTuple):
    """
    A measured figure.

    Args:
        what: was measured.
        value: the result.
        unit: of the value.
        command: measures it again.
        date: when it was measured.
        machine: where it was measured.
    """

    what: str
    value: float
    unit: str
    command: str
    date: str
    machine: str


MACHINE = "2 cores, Linux, Python 3.11, PostgreSQL 18.6"
CONNECTION = Figure(
    "memory of an idle connection in a node",
    9_100,
    "bytes",
    "nox -s bench -- --only idle --backend asyncio",
    "2026-11-29",
    MACHINE,
)
STORED = Figure(
    "growth of PostgreSQL for a message of 100 characters, with indexes and key",
    1_012,
    "bytes",
    "nox -s bench -- --only stored --backend asyncio",
    "2026-11-29",
    MACHINE,
)
DELIVERED = Figure(
    "bytes that a follower receives for such a message",
    325,
    "bytes",
    "nox -s bench -- --only delivered --backend asyncio",
    "2026-11-29",
    MACHINE,
)
ACCEPTING = Figure(
    "processor time of a node that accepts such a message",
    850,
    "µs",
    "nox -s bench -- --only processor --backend asyncio",
    "2026-11-29",
    MACHINE,
)
HEARING = Figure(
    "processor time of each other node, which receives it",
    90,
    "µs",
    "nox -s bench -- --only processor --backend asyncio",
    "2026-11-29",
    MACHINE,
)
SENDING = Figure(
    "processor time of a node for each follower that it sends the message to",
    9,
    "µs",
    "nox -s bench -- --only processor --backend asyncio",
    "2026-11-29",
    MACHINE,
)
WRITING = Figure(
    "processor time of PostgreSQL for it",
    290,
    "µs",
    "nox -s bench -- --only processor --backend asyncio",
    "2026-11-29",
    MACHINE,
)
# Everything that a plan is computed from.
FIGURES = (CONNECTION, STORED, DELIVERED, ACCEPTING, HEARING, SENDING, WRITING)


class ClusterPlan(NamedTuple):
    """
    The needs of a load.

    Args:
        nodes: enough for the connections and for the processor time, and a spare node for when
            another fails. A node takes as many connections as fit into half of its memory, and no
            more than the default `connections_max`. It uses one core, which is half busy at most.
        connections: of a node, while all nodes run.
        deliveries: messages that reach followers, a second, of all nodes.
        network: bytes a second that all nodes send to clients.
        stored: bytes by which PostgreSQL grows in a day.
        node_cores: processor cores that all nodes keep busy together.
        postgres_cores: processor cores of PostgreSQL, which are half busy.
    """

    nodes: int
    connections: int
    deliveries: float
    network: float
    stored: float
    node_cores: float
    postgres_cores: float


def plan_of(users: int, rooms: int, rate: float, follows: float, memory: float) -> ClusterPlan:
    """
    Compute a plan.

    Args:
        users: connected at the same time.
        rooms: that messages are sent to, all equally busy.
        rate: messages a second, of all users.
        follows: rooms that each user follows.
        memory: of each node, in bytes.

    Raises:
        Invalid: every node would have to receive more messages than a node can.
    """
    fit = int(memory * CONNECTIONS_SHARE / CONNECTION.value)
    deliveries = rate * users * follows / rooms
    needed = math.ceil(users / min(fit, Settings().connections_max))
    nodes = max(needed, _busy_nodes(rate, deliveries)) + 1
    return ClusterPlan(
        nodes=nodes,
        connections=math.ceil(users / nodes),
        deliveries=deliveries,
        network=deliveries * DELIVERED.value,
        stored=rate * DAY_SECONDS * STORED.value,
        node_cores=_busy_cores(rate, deliveries, nodes),
        postgres_cores=rate * WRITING.value * MICROSECOND / BUSY_SHARE,
    )


def _busy_cores(rate: float, deliveries: float, nodes: int) -> float:
    """Return how many cores some nodes keep busy: each message is news for all but one of them."""
    messages = rate * (ACCEPTING.value + (nodes - 1) * HEARING.value)
    return (messages + deliveries * SENDING.value) * MICROSECOND


def _busy_nodes(rate: float, deliveries: float) -> int:
    """Return how many nodes have enough processor time; each receives every message."""
    hearing = rate * HEARING.value * MICROSECOND
    if hearing >= BUSY_SHARE:
        most = BUSY_SHARE / (HEARING.value * MICROSECOND)
        raise Invalid(
            f"Every node receives every message, and a node can receive {most:,.0f} a second. "
            "No number of nodes is enough."
        )
    alone = _busy_cores(rate, deliveries, 1) - hearing
    return max(1, math.ceil(alone / (BUSY_SHARE - hearing)))


def plan_cluster(
    users: Annotated[int, typer.Option(min=1, metavar="N", help="Users connected at a time.")],
    rooms: Annotated[int, typer.Option(min=1, metavar="N", help="Rooms that are in use.")],
    rate: Annotated[
        float, typer.Option(min=0, metavar="N", help="Messages a second, of all users together.")
    ],
    follows: Annotated[
        float, typer.Option(min=0, metavar="N", help="Rooms that each user follows.")
    ] = 1,
    memory: Annotated[
        float, typer.Option(min=0.1, metavar="GB", help="The memory of each node.")
    ] = 4,
) -> None:
    """
    Compute what a cluster needs for a load.

    The figures behind it were measured; the command shows each with its date and with the
    command that measures it on your machine. Processors are planned to be half busy. The time of
    a message was measured at 500 messages a second; at a higher rate a message takes less.

    Examples:
        hubbub plan --users 100000 --rooms 5000 --rate 500
    """
    with exit_on_error():
        plan = plan_of(users, rooms, rate, follows, memory * 1e9)
    console = Console(highlight=False)
    console.print(_needs(plan))
    console.print(_figures())


def _needs(plan: ClusterPlan) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_row("nodes", f"{plan.nodes:,}, of which any can fail")
    table.add_row(
        "cores that nodes keep busy", f"{plan.node_cores:,.1f}, at most half of each node's"
    )
    table.add_row("cores of PostgreSQL", f"{plan.postgres_cores:,.1f}, half busy")
    table.add_row("connections of a node", f"{plan.connections:,}")
    table.add_row("deliveries", f"{plan.deliveries:,.0f} a second")
    table.add_row("network, to clients", f"{plan.network * 8 / 1e6:,.1f} Mbit/s")
    table.add_row("PostgreSQL grows by", f"{plan.stored / 1e9:,.1f} GB a day")
    return table


def _figures() -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for title in ("measured", "", "on", "by"):
        table.add_column(title)
    for one in FIGURES:
        table.add_row(one.what, f"{one.value:,g} {one.unit}", one.date, one.command)
    return table
