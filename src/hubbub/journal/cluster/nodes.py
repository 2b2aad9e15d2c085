"""
The nodes of a cluster: which of them live, and which of them does a job.

Every node beats in the store once a second, and reads there when the others did. The store's
clock decides, so it does not matter if the clocks of the nodes are wrong.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Awaitable, Callable, Collection, Sequence
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from typing import cast

import anyio

from ...clock import Clock
from ...errors import StorageError
from ..containment import tell_each
from ..stores.contract import Store
from ..stores.sharing import NodeRecord, SharedStore
from ..threads import Threads
from .messages import Messages

__all__ = ["BEAT_SECONDS", "NODE_SILENT_SECONDS_MAX", "Nodes"]

logger = logging.getLogger("hubbub.journal")

# The pause between two beats.
BEAT_SECONDS = 1.0
# A node that has been silent for this long is dead.
NODE_SILENT_SECONDS_MAX = 3.0
# If the store does not answer for this long, other nodes may have missed a beat as well.
LATE_SECONDS = 2 * BEAT_SECONDS
# How long a node that shuts down tries to tell the others.
LEAVE_SECONDS_MAX = 2.0


class Nodes:
    """
    The nodes that share a store; with a store that is not shared this node is alone.

    Args:
        me: the id of this node, new with every start.
        store: where the nodes beat.
        clock: measures how old the last reading is.
    """

    def __init__(self, me: str, store: Store, clock: Clock) -> None:
        self.me = me
        # Called when the live or the leaving nodes have changed.
        self.changed: list[Callable[[], None]] = []
        self._store = cast(SharedStore, store) if store.shared else None
        self._clock = clock
        self._threads = Threads(1)
        self._name = self._version = ""
        self._live = frozenset({me})
        self._leaving: frozenset[str] = frozenset()
        self._candidates: tuple[str, ...] = (me,)
        self._is_leaving = False
        # When the nodes were last read, and since when that has never failed or been late.
        self._read_at: float | None = None
        self._steady_since = 0.0
        self._failing = False
        # Called when the store answers again after it did not.
        self.recovered: list[Callable[[], None]] = []
        self.messages = Messages(me)
        # A kind of message -> called with the node that told it, and the body.
        self.hear: dict[str, Callable[[str, bytes], None]] = self.messages.hear
        # A kind of request -> returns the answer; called with the node that asks, and the body.
        self.answer: dict[str, Callable[[str, bytes], Awaitable[bytes]]] = self.messages.answer

    def live(self) -> frozenset[str]:
        """Return the ids of the nodes that live, leaving ones too; this node always does."""
        return self._live

    def leaving(self) -> frozenset[str]:
        """Return the ids of the live nodes that are shutting down."""
        return self._leaving

    def is_live(self, node: str) -> bool:
        """Return whether a node lives."""
        return node in self._live

    @property
    def fresh(self) -> bool:
        """
        False while it is not known which nodes live, such as while the store is away.

        Nobody may be declared dead then: ``live`` still has the nodes that lived before.
        """
        if self._store is None:
            return True
        now = self._clock.monotonic()
        return (
            self._read_at is not None
            and not self._failing
            and now - self._read_at < NODE_SILENT_SECONDS_MAX
            and now - self._steady_since >= NODE_SILENT_SECONDS_MAX
        )

    def owner(self, name: str) -> str:
        """
        Return the node that does a job, the same on all nodes that know the same nodes.

        If a node joins or dies, only its own jobs move (rendezvous hashing).

        Args:
            name: of the job.
        """
        if len(self._candidates) == 1:
            return self._candidates[0]
        return max(self._candidates, key=lambda node: _weight(node, name))

    def owns(self, name: str) -> bool:
        """Return whether this node does a job."""
        return self.owner(name) == self.me

    def tell(self, kind: str, body: bytes) -> None:
        """
        Send a message to all other nodes, at most once, without waiting.

        Args:
            kind: what it is about: the others hear it by ``hear[kind]``.
            body: at most ``MESSAGE_BYTES_MAX`` bytes.

        Raises:
            Invalid: the body is too large.
        """
        self.messages.tell(kind, body)

    async def ask(self, node: str, kind: str, body: bytes, seconds: float) -> bytes:
        """
        Ask one node, again until it answers, and return the answer; the node acts at most once.

        Args:
            node: its id.
            kind: what it is about: the node answers by ``answer[kind]``.
            body: at most ``MESSAGE_BYTES_MAX`` bytes.
            seconds: how long to wait.

        Raises:
            Overloaded: there was no answer; the node may have done what you asked all the same.
            Invalid: the body is too large.
        """
        return await self.messages.ask(node, kind, body, seconds)

    async def run(self) -> None:
        """Beat every second, until cancelled."""
        while True:
            await self.beat()
            await anyio.sleep(BEAT_SECONDS)

    async def beat(self) -> None:
        """Beat once, and read which nodes live; a failure is logged once."""
        if (store := self._store) is None:
            return
        if not self._version:
            self._name, self._version = await self._threads.run(_describe, abandon=True)
        try:
            if store.blocking:
                records = await self._threads.run(self._beat, store, abandon=True)
            else:
                records = self._beat(store)
        except StorageError as error:
            if not self._failing:
                logger.warning("which nodes live cannot be read: %s", error)
            self._failing = True
        else:
            self._learn(records)

    def _beat(self, store: SharedStore) -> Sequence[NodeRecord]:
        return store.beat(self.me, self._name, self._version, leaving=self._is_leaving)

    async def leave(self) -> None:
        """Tell the other nodes that this node shuts down, so that they take over at once."""
        if self._is_leaving:
            return
        self._is_leaving = True
        with anyio.move_on_after(LEAVE_SECONDS_MAX):
            await self.beat()

    def _learn(self, records: Collection[NodeRecord]) -> None:
        now, before = self._clock.monotonic(), self._read_at
        live = {node.id for node in records if node.silent < NODE_SILENT_SECONDS_MAX}
        if before is None:
            self._steady_since = now - NODE_SILENT_SECONDS_MAX
        elif self._failing or now - before > LATE_SECONDS:
            # The other nodes may have been unable to beat as well.
            self._steady_since = now
        if now - self._steady_since < NODE_SILENT_SECONDS_MAX:
            live |= self._live
        was_failing = self._failing
        self._read_at, self._failing = now, False
        if was_failing:
            logger.warning("which nodes live can be read again")
            tell_each(self.recovered)
        self._put(
            frozenset(live | {self.me}), frozenset(node.id for node in records if node.leaving)
        )

    def _put(self, live: frozenset[str], leaving: frozenset[str]) -> None:
        leaving = leaving & live
        if (live, leaving) == (self._live, self._leaving):
            return
        self._live, self._leaving = live, leaving
        self._candidates = tuple(sorted(live - leaving)) or (self.me,)
        self.messages.fail_asked(self.is_live)
        tell_each(self.changed)


def _weight(node: str, name: str) -> bytes:
    return blake2b(f"{node}/{name}".encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _describe() -> tuple[str, str]:
    try:
        release = version("hubbub")
    except PackageNotFoundError:
        release = "unknown"
    return f"{socket.gethostname()}/{os.getpid()}", release
