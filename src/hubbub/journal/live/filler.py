"""Reads from the store what the topics of this node have missed of other nodes' events."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import anyio

from ...errors import StorageError
from ...wake_up import WakeUp
from ..event import Streams
from ..redaction import read_shown
from ..stores.contract import Store
from .topics import Topics

__all__ = ["FILL_STREAMS_MAX", "Filler"]

R = TypeVar("R")

# Streams that a node reads from the store at once because it has missed events of them.
FILL_STREAMS_MAX = 100
# Events of one stream that it reads at once; it reads more of them in the next round.
FILL_EVENTS_MAX = 1_000
# How long to wait after the store could not be read.
AGAIN_SECONDS = 0.5


class Run(Protocol):
    """Runs a function that reads the store."""

    def __call__(self, work: Callable[..., R], *args: object) -> Coroutine[Any, Any, R]:
        """Run it, in a thread if necessary."""


class Filler:
    """
    Fills the gaps of topics.

    Args:
        store: the store to read.
        streams: decode the events.
        topics: the topics of this node.
        run: reads the store.
        hear: called with a stream, the seq of the first event that it lacks, and the events.
    """

    def __init__(
        self,
        store: Store,
        streams: Streams,
        topics: Topics,
        run: Run,
        hear: Callable[[str, int, Sequence[bytes]], None],
    ) -> None:
        self._store = store
        self._streams = streams
        self._topics = topics
        self._run = run
        self._hear = hear
        # A stream -> the seq that its topic must have. It grows no larger than the topics.
        self._behind: dict[str, int] = {}
        self._wake_up = WakeUp()

    def behind(self, stream: str, seq: int) -> None:
        """Note that the topic of a stream lacks events, up to a seq at least."""
        self._behind[stream] = max(seq, self._behind.get(stream, 0))
        self._wake_up.set()

    async def run(self) -> None:
        """Fill until cancelled."""
        while True:
            await self._wake_up.wait()
            while places := self._places():
                try:
                    found = await self._run(self._read, places)
                except StorageError:
                    # The store's health has logged it.
                    await anyio.sleep(AGAIN_SECONDS)
                else:
                    self._publish(places, found)

    def _places(self) -> Mapping[str, int]:
        """Return some streams that lack events, and the last seqs that they have."""
        places = dict[str, int]()
        for stream, seq in list(self._behind.items()):
            topic = self._topics.get(stream)
            if topic is None or topic.head >= seq:
                del self._behind[stream]
            elif len(places) < FILL_STREAMS_MAX:
                places[stream] = topic.head
        return places

    def _read(self, places: Mapping[str, int]) -> dict[str, list[bytes]]:
        store = self._store
        # Nothing is loaded: the topics lack events, and no state.
        with store.reading():
            return {
                stream: read_shown(store, self._streams, stream, after, FILL_EVENTS_MAX)
                for stream, after in places.items()
            }

    def _publish(self, places: Mapping[str, int], found: Mapping[str, list[bytes]]) -> None:
        for stream, bodies in found.items():
            if bodies:
                self._hear(stream, places[stream] + 1, bodies)
            else:
                # A notice named an event that is not in the store: there is nothing to wait for.
                self._behind.pop(stream, None)
