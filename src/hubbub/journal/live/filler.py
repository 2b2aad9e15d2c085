"""Reads from the store what the topics of this node have missed of other nodes' events."""

from __future__ import annotations

import logging
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

logger = logging.getLogger("hubbub.journal")

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
        # Streams that cannot be filled, and whose failure was logged; not more than are read at
        # once.
        self._failed = set[str]()
        self._wake_up = WakeUp()

    def behind(self, stream: str, seq: int) -> None:
        """Note that the topic of a stream lacks events, up to a seq at least."""
        self._behind[stream] = max(seq, self._behind.get(stream, 0))
        self._wake_up.set()

    async def run(self) -> None:
        """Fill until cancelled."""
        while True:
            # Not after the wait: a run that failed may have left some.
            while places := self._places():
                try:
                    found = await self._run(self._read, places)
                except StorageError:
                    # The store's health has logged it.
                    await anyio.sleep(AGAIN_SECONDS)
                else:
                    self._publish(places, found)
            await self._wake_up.wait()

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

    def _read(self, places: Mapping[str, int]) -> dict[str, list[bytes] | Exception]:
        # Nothing is loaded: the topics lack events, and no state.
        with self._store.reading():
            return {stream: self._read_some(stream, after) for stream, after in places.items()}

    def _read_some(self, stream: str, after: int) -> list[bytes] | Exception:
        try:
            return read_shown(self._store, self._streams, stream, after, FILL_EVENTS_MAX)
        except StorageError:
            raise
        except Exception as error:  # of an event that this release does not know
            return error

    def _publish(
        self, places: Mapping[str, int], found: Mapping[str, list[bytes] | Exception]
    ) -> None:
        for stream, bodies in found.items():
            try:
                if isinstance(bodies, Exception):
                    raise bodies
                if bodies:
                    self._hear(stream, places[stream] + 1, bodies)
                    self._failed.discard(stream)
                    continue
            except Exception:  # it holds up no other stream
                self._log_once(stream)
            # A notice named an event that is not in the store, or the event cannot be shown: there
            # is nothing to wait for. The stream's next event is another attempt.
            self._behind.pop(stream, None)

    def _log_once(self, stream: str) -> None:
        if stream not in self._failed:
            if len(self._failed) >= FILL_STREAMS_MAX:
                self._failed.clear()
            self._failed.add(stream)
            logger.exception("what other servers wrote to %s cannot be shown", stream)
