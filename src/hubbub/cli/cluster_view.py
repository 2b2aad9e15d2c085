"""The table of ``hubbub cluster``, its commands and its keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rich.table import Table
from rich.text import Text

from ..errors import HubbubError, Invalid
from .cluster_parts import ClusterPart

__all__ = ["HELP", "ClusterKeys", "cluster_table", "do_command"]

HELP = "kill, stop, cont or restart, and a node's number, postgres or valkey: kill 2"
KEYS = "1-9 a node, p PostgreSQL, v Valkey; then k kill, s stop, c continue, r restart; q quits"

ACTIONS: Mapping[str, Callable[[ClusterPart], None]] = {
    "kill": ClusterPart.kill,
    "stop": ClusterPart.stop,
    "cont": ClusterPart.cont,
    "restart": ClusterPart.restart,
}
ACTION_KEYS = {"k": "kill", "s": "stop", "c": "cont", "r": "restart"}
PART_KEYS = {"p": "postgres", "v": "valkey"}
COLOURS = {"running": "green", "stopped": "yellow", "silent": "yellow", "ended": "red"}


def cluster_table(parts: Sequence[ClusterPart], chosen: str = "") -> Table:
    """
    Show the parts as a table.

    Args:
        parts: of the cluster.
        chosen: the name of the part that the next key is for.
    """
    table = Table(
        *("", "address", "state", "connections", "per second", ""),
        box=None,
        header_style="dim",
        pad_edge=False,
        caption=KEYS,
        caption_justify="left",
    )
    table.columns[3].justify = table.columns[4].justify = "right"
    for one in parts:
        server, state = one.part.server, one.state
        connections = "" if one.connections is None else f"{one.connections:,}"
        rate = "" if one.rate is None else f"{one.rate:,.0f}"
        # An address of a server has its password in it, so only a node's is shown whole.
        address = server.url if "@" not in server.url else f"127.0.0.1:{server.port}"
        table.add_row(
            *map(Text, (one.part.name, address)),
            Text(state, COLOURS[state]),
            *map(Text, (connections, rate, one.part.unit)),
            style="bold" if one.part.name == chosen else None,
        )
    return table


def do_command(parts: Sequence[ClusterPart], line: str) -> str:
    """
    Do what a line says, such as ``kill 2``; return what was done.

    Raises:
        Invalid: there is no such command or part.
        StorageError: what was restarted does not start.
    """
    words = line.split()
    action = ACTIONS.get(words[0]) if len(words) == 2 else None
    if action is None:
        raise Invalid(f"{line.strip()!r} is no command. Write {HELP}.")
    for one in parts:
        if one.part.name in (words[1], f"node {words[1]}"):
            action(one)
            return f"{one.part.name}: {words[0]}"
    raise Invalid(f"There is no {words[1]!r}. Write {HELP}.")


class ClusterKeys:
    """
    Single keys: first a part, then what to do with it.

    Args:
        parts: of the cluster.
    """

    def __init__(self, parts: Sequence[ClusterPart]) -> None:
        self._parts = parts
        self.chosen = "node 1"
        # The result of the last key.
        self.said = ""

    def press(self, key: str) -> bool:
        """Do what a key means; return False if it ends the program."""
        if key == "q":
            return False
        name = PART_KEYS.get(key, f"node {key}")
        if any(one.part.name == name for one in self._parts):
            self.chosen = name
        elif action := ACTION_KEYS.get(key):
            try:
                self.said = do_command(self._parts, f"{action} {self.chosen.removeprefix('node ')}")
            except HubbubError as error:
                self.said = error.message
        return True
