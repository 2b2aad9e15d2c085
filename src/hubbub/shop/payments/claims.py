"""
Which node settles an order: the node that placed it; if that node is dead, another node. Pure.

Only the provider can tell what a dead node has begun, so a node that takes over first asks for
the payment, and closes it if there is none. If the first node only stood still for a while, both
may settle the order; it still happens once, because the provider and the journal see to that.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from ..orders.order import Order

__all__ = ["ClaimedOrder", "Claims", "Membership"]


class Membership(Protocol):
    """The nodes that share a store; see :class:`hubbub.journal.cluster.nodes.Nodes`."""

    me: str

    @property
    def fresh(self) -> bool:
        """False while it is not known which nodes live."""

    def is_live(self, node: str) -> bool:
        """Return whether a node lives."""

    def owns(self, name: str) -> bool:
        """Return whether this node does a job."""


class ClaimedOrder(msgspec.Struct, frozen=True):
    """
    An order, and the node that settles it.

    Args:
        order: the order.
        claimant: the node that placed it; None if its store was not shared then.
        now: when the order was looked at, by the store's clock.
    """

    order: Order
    claimant: str | None
    now: datetime


class Claims:
    """
    Tells which orders this node settles.

    Args:
        nodes: the nodes that share the store; None if it is not shared: then it is this node.
        payment_seconds_max: how long a dead node's requests may be on their way, in seconds.
    """

    def __init__(self, nodes: Membership | None, payment_seconds_max: float) -> None:
        self._nodes = nodes
        self._wait = timedelta(seconds=payment_seconds_max)
        # Orders in the schedule -> the other nodes that settle them.
        self._elsewhere: dict[str, str] = {}

    @property
    def shared(self) -> bool:
        """True if other nodes may settle orders."""
        return self._nodes is not None

    def is_mine(self, claimed: ClaimedOrder, *, called: bool = False) -> bool:
        """
        Return whether this node settles an order.

        Args:
            claimed: the order and its claimant.
            called: True if a caller on this node waits for the order, and may have given the
                payment method: then the node takes over without waiting.
        """
        nodes, claimant, order = self._nodes, claimed.claimant, claimed.order
        if nodes is None or claimant == nodes.me:
            return True
        if claimant is not None and nodes.is_live(claimant):
            if order.is_open:
                self._elsewhere[order.stream] = claimant
            return False
        if not nodes.fresh:
            return False
        return called or (claimed.now >= order.at + self._wait and nodes.owns(order.stream))

    def unclaimed(self, scheduled: Sequence[str]) -> list[str]:
        """
        Return the orders that are not known to be settled by another node that lives.

        Args:
            scheduled: all orders in the schedule.
        """
        nodes = self._nodes
        if nodes is None:
            return list(scheduled)
        known = ((stream, self._elsewhere.get(stream)) for stream in scheduled)
        # It forgets the orders that have left the schedule.
        self._elsewhere = {to: node for to, node in known if node and nodes.is_live(node)}
        return [stream for stream in scheduled if stream not in self._elsewhere]
