"""
The interface of a store that several nodes write to.

A node decides only on what it *holds*. For each batch it names the streams that its calls may
read or write, and how much of each it knows. ``hold`` locks these streams, in one order for all
nodes, and returns what others have written since. The node applies that, decides, and commits.
Nothing can be written to a held stream in between, so the decision is made on the newest state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

import msgspec

from .contract import Batch, Snapshot, Store, Used

__all__ = ["NEWS_EVENTS_MAX", "Hold", "News", "NodeRecord", "SharedStore", "Wanted"]

# The most events of one stream in the news; a state that is further behind is loaded again.
NEWS_EVENTS_MAX = 5_000


class Wanted(msgspec.Struct, frozen=True):
    """
    The streams, keys and rate limits that a batch may touch.

    Args:
        streams: the streams that it may write to, or reads before it writes: a name -> the seq
            of the last event that the node knows. They are locked.
        looks: streams that are only read, in the same way; they are not locked.
        keys: the idempotency keys that it may use: (user, key).
        limits: the rate limits that it may charge: (name of the limit, user). They are locked.
    """

    streams: Mapping[str, int] = {}
    looks: Mapping[str, int] = {}
    keys: Sequence[tuple[str, str]] = ()
    limits: Sequence[tuple[str, str]] = ()


class News(msgspec.Struct, frozen=True):
    """
    The answer to a :class:`Wanted`, all of one moment.

    Args:
        at: the time by the store's clock; None if the node's own clock counts.
        bodies: a stream -> its events after the seq that the node knows, in order, at most
            ``NEWS_EVENTS_MAX`` of each; a stream without any is left out.
        used: the keys that were used before.
        limits: (name of the limit, user) -> what was last committed for it; a limit that was
            never charged is left out.
    """

    at: datetime | None = None
    bodies: Mapping[str, Sequence[bytes]] = {}
    used: Mapping[tuple[str, str], Used] = {}
    limits: Mapping[tuple[str, str], bytes] = {}


@runtime_checkable
class Hold(Protocol):
    """
    A transaction that has begun: the locks, and the news as of them.

    It ends with ``commit`` or ``release``, whichever is called first, and ends by itself
    if the node keeps it for too long: then ``commit`` raises :class:`Stale`.
    """

    news: News

    def commit(self, batch: Batch) -> None:
        """
        Write a batch as one transaction that survives power loss, and release the locks.

        Its snapshots are not written: see :meth:`SharedStore.keep`.

        Raises:
            Stale: nothing was written; decide again.
            StorageError: nothing was written, or it is not known yet whether it was.
        """

    def release(self) -> None:
        """Release the locks, and write nothing."""


class NodeRecord(msgspec.Struct, frozen=True):
    """
    A node, as the store knows it.

    Args:
        id: the node's id, new with every start.
        name: what operators call it, such as the host and the process.
        version: the release that it runs.
        silent: the seconds since its last beat, by the store's clock.
        leaving: True if it is shutting down.
    """

    id: str
    name: str
    version: str
    silent: float
    leaving: bool


class SharedStore(Store, Protocol):
    """A store that several nodes write to; ``shared`` is True."""

    def hold(self, wanted: Wanted) -> Hold:
        """
        Lock streams and limits, and return what others have written.

        It waits while another node holds any of them, for a bounded time. A stream or limit
        that does not exist yet is not locked: if two nodes create the same, one of the commits
        raises Stale.

        Raises:
            Stale: another node holds them at the moment, or was first; try again.
            StorageError: the store cannot be reached.
        """

    def news(self, wanted: Wanted) -> News:
        """Return what others have written, as :meth:`hold` does, and lock nothing."""

    def heads(self, streams: Sequence[str]) -> dict[str, int]:
        """Return the seq of each stream's last event; a stream without events is left out."""

    def keep(self, snapshots: Sequence[Snapshot]) -> None:
        """Write snapshots, each unless its stream has a newer one already."""

    def beat(self, node: str, name: str, version: str, *, leaving: bool) -> list[NodeRecord]:
        """Tell that a node lives, or leaves, and return all nodes; forget long silent ones."""
