"""A journal's further work where other nodes write to its store, too."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import anyio

from ...clock import Clock
from ...settings import Settings
from ..containment import keep_running
from ..decide.holder import Holder
from ..decide.states import States
from ..decide.writer import Writer
from ..event import Event, Streams
from ..live.feed import Feeds
from ..live.filler import Filler
from ..live.topics import Topics
from ..reading import Reading
from ..store_clock import StoreClock
from ..stores.contract import Record, Store
from ..stores.sharing import SharedStore
from .bus import Bus
from .no_bus import NoBus
from .nodes import Nodes
from .relay import Ears, Relay

__all__ = ["Sharing"]


class Sharing:
    """
    Brings this node's states, topics and feeds up to date with what other nodes write.

    Args:
        store: the store that the nodes share.
        writer: writes to it.
        states: the cache of states.
        streams: the known kinds of stream.
        topics: the topics of this node.
        feeds: its feeds.
        reading: reads the store.
        settings: limits and the clock.
        after_batch: called when collected output can be sent.
        nodes: the nodes of the cluster.
        bus: tells the other nodes what this node has committed; None for no bus.
    """

    def __init__(  # noqa: PLR0913
        self,
        store: Store,
        writer: Writer,
        states: States,
        streams: Streams,
        topics: Topics,
        feeds: Feeds,
        reading: Reading,
        settings: Settings,
        after_batch: Callable[[], None],
        nodes: Nodes,
        bus: Bus | None,
    ) -> None:
        assert store.shared
        shared = cast(SharedStore, store)
        self._streams = streams
        self._topics = topics
        self._feeds = feeds
        self._after_batch = after_batch
        # The time of the store, as far as this node knows it.
        clock = StoreClock(settings.clock)
        self.clock: Clock = clock
        self.holder = Holder(
            shared,
            writer,
            states,
            streams,
            clock,
            self._hear_decoded,
            settings.commit_seconds_max,
        )
        self._filler = Filler(store, streams, topics, reading.feed, self._hear_told)
        topics.behind = self._filler.behind
        self._nodes = nodes
        ears = Ears(self._hear_told, self._hear_signal, self._followed, self._filler.behind)
        self._relay = Relay(bus or NoBus(), nodes, shared, settings.clock, ears)

    async def run(self) -> None:
        """Beat, send and receive, and fill what is missing, until cancelled."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(keep_running, "the heartbeat", self._nodes.run)
            tasks.start_soon(keep_running, "the filler", self._filler.run)
            tasks.start_soon(keep_running, "the relay", self._relay.run)

    def publish(self, events: Sequence[Event], records: Sequence[Record]) -> None:
        """Tell the other nodes what this node has committed."""
        streams = dict[str, tuple[int, list[bytes]]]()
        for event, record in zip(events, records, strict=True):
            if (run := streams.get(event.stream)) is None:
                run = streams[event.stream] = event.seq, []
            run[1].append(record.body)
        self._relay.publish(streams)

    def signal(self, stream: str, body: bytes) -> None:
        """Send a signal to the followers of a stream on the other nodes."""
        self._relay.signal(stream, body)

    def _hear_told(self, stream: str, first: int, bodies: Sequence[bytes]) -> None:
        self._feeds.hear(bodies)
        self._topics.hear(stream, first, bodies, self._streams)
        self._after_batch()

    def _hear_signal(self, stream: str, body: bytes) -> None:
        if (topic := self._topics.get(stream)) is not None:
            topic.signal(body)
            self._after_batch()

    def _followed(self) -> Mapping[str, int]:
        return {stream: topic.head for stream, topic in self._topics.items()}

    def _hear_decoded(self, stream: str, bodies: Sequence[bytes], events: Sequence[Event]) -> None:
        self._feeds.hear(bodies)
        self._topics.hear(stream, events[0].seq, bodies, self._streams, events)
        self._after_batch()
