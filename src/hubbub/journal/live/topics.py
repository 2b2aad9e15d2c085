"""The topics of a hub: followed streams, and recently followed ones."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence

from ..event import Event, Streams
from ..redaction import takes_back
from ..stores.contract import Record
from .topic import Follower, Held, Topic

__all__ = ["TOPICS_BYTES_MAX", "TOPICS_IDLE_MAX", "Topics"]

# Topics without followers, kept for clients that reconnect.
TOPICS_IDLE_MAX = 64
# Bytes that all topics hold together; dropped events are read from the store if needed.
TOPICS_BYTES_MAX = 64 * 1024 * 1024


class Topics(Mapping[str, Topic]):
    """The topics by their streams' names."""

    def __init__(self) -> None:
        # Told a stream and a seq if its topic lacks events up to there, which another node wrote;
        # None if no other node writes.
        self.behind: Callable[[str, int], None] | None = None
        self._topics: dict[str, Topic] = {}
        self._idle: OrderedDict[str, None] = OrderedDict()
        self._held = Held()

    def __getitem__(self, stream: str) -> Topic:
        return self._topics[stream]

    def __iter__(self) -> Iterator[str]:
        return iter(self._topics)

    def __len__(self) -> int:
        return len(self._topics)

    def __contains__(self, stream: object) -> bool:
        return stream in self._topics

    @property
    def bytes_held(self) -> int:
        """The number of bytes that all topics hold."""
        return self._held.size

    def attach(self, stream: str, follower: Follower, head: int) -> None:
        """
        Attach a follower.

        Args:
            stream: the stream to follow.
            follower: the follower, with its cursor.
            head: the seq of the stream's last committed event.
        """
        topic = self._topics.get(stream)
        if topic is None:
            topic = self._topics[stream] = Topic(head, self._held)
        topic.followers[follower] = None
        self._idle.pop(stream, None)
        if self.behind is not None and topic.head < head:
            self.behind(stream, head)

    def detach(self, stream: str, follower: Follower) -> None:
        """Detach a follower."""
        topic = self._topics.get(stream)
        if topic is None or follower not in topic.followers:
            return
        del topic.followers[follower]
        if not topic.followers:
            topic.forget_batches()
            self._idle[stream] = None
            if len(self._idle) > TOPICS_IDLE_MAX:
                self._drop_oldest()

    def publish(self, events: Sequence[Event], records: Sequence[Record], streams: Streams) -> None:
        """Publish the events of a batch to the followers of their streams."""
        runs: dict[str, tuple[list[Event], list[bytes]]] = {}
        for event, record in zip(events, records, strict=True):
            if (run := runs.get(event.stream)) is None:
                if event.stream not in self._topics:
                    continue
                run = runs[event.stream] = [], []
            run[0].append(event)
            run[1].append(record.body)
        for stream, (found, bodies) in runs.items():
            self.hear(stream, found[0].seq, bodies, streams, found)

    def hear(
        self,
        stream: str,
        first: int,
        bodies: Sequence[bytes],
        streams: Streams,
        events: Sequence[Event] | None = None,
    ) -> None:
        """
        Publish events of a stream, which another node may have written, as far as they are new.

        Args:
            stream: the stream.
            first: the seq of the first event.
            bodies: the encoded events, in order.
            streams: decode them, if they are not given.
            events: the decoded events.
        """
        if (topic := self._topics.get(stream)) is None:
            return
        known = 0
        if self.behind is not None:
            known = topic.head + 1 - first
            if known >= len(bodies):
                return
            if known < 0:
                # They are among the events that are read from the store.
                self.behind(stream, first + len(bodies) - 1)
                return
        kind = streams.kind(stream)
        new = (events or [streams.decode(body) for body in bodies])[known:]
        for event in new:
            if (user := kind.revoked(event)) is not None:
                _revoke(topic, user, event.seq)
        topic.publish(bodies[known:], first + known)
        for event in new:
            if event.ref is not None and takes_back(streams, event):
                topic.redact(event.ref, streams.redact)

    def close(self) -> None:
        """Notify all followers that nothing more will be published."""
        for topic in self._topics.values():
            topic.close()

    def trim(self) -> None:
        """Drop tails while all topics together hold too much: first those without followers."""
        if self._held.size <= TOPICS_BYTES_MAX:
            return
        while self._idle and self._held.size > TOPICS_BYTES_MAX // 2:
            self._drop_oldest()
        for topic in self._topics.values():
            if self._held.size <= TOPICS_BYTES_MAX // 2:
                break
            topic.forget_tail()

    def _drop_oldest(self) -> None:
        stream, _ = self._idle.popitem(last=False)
        self._topics.pop(stream).forget_tail()


def _revoke(topic: Topic, user: str, seq: int) -> None:
    for follower in topic.followers:
        if follower.user == user:
            follower.until = seq
