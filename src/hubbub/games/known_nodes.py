"""Which nodes are gone, for whatever they have left."""

from __future__ import annotations

from collections.abc import Callable

from ..journal.cluster.nodes import NODE_SILENT_SECONDS_MAX, Nodes

__all__ = ["STRANGERS_MAX", "KnownNodes"]

# Nodes that are named somewhere, and were never seen alive here; of more, the oldest are forgotten.
STRANGERS_MAX = 1_000


class KnownNodes:
    """
    Tells which nodes are gone.

    A node that has just joined does its work before the others have seen it, so a node that was
    never seen here is not gone until it had the time to beat.

    Args:
        nodes: the nodes of the cluster.
        monotonic: returns the time, in seconds.
        alone: True if no other node can share the store.
    """

    def __init__(self, nodes: Nodes, monotonic: Callable[[], float], *, alone: bool) -> None:
        self._nodes = nodes
        self._monotonic = monotonic
        self._alone = alone
        self._seen: set[str] = set()
        # A node that was never seen -> when its name first appeared.
        self._strangers: dict[str, float] = {}
        self.look()

    def look(self) -> None:
        """Note which nodes live now; called when they have changed."""
        live = self._nodes.live()
        self._seen |= live
        for node in live:
            self._strangers.pop(node, None)

    def is_gone(self, node: str) -> bool:
        """Return whether a node has died, or shuts down."""
        nodes = self._nodes
        if nodes.is_live(node):
            return node in nodes.leaving() and node != nodes.me
        return self._alone or (nodes.fresh and (node in self._seen or self._is_late(node)))

    def is_there(self, node: str) -> bool:
        """Return whether a node lives, or may have just joined."""
        return self._nodes.is_live(node) or not self.is_gone(node)

    def _is_late(self, node: str) -> bool:
        now = self._monotonic()
        first = self._strangers.setdefault(node, now)
        if len(self._strangers) > STRANGERS_MAX:
            del self._strangers[next(iter(self._strangers))]
        return now - first >= NODE_SILENT_SECONDS_MAX
