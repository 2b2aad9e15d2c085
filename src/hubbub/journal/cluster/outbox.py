"""Packs what a node has to send into frames, and numbers them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from .bus import SHARDS
from .frames import (
    Broadcast,
    Frame,
    NodeAnswer,
    NodeRequest,
    Noticed,
    StreamEvents,
    encode_frame,
    shard_of,
)

__all__ = ["OUTBOX_BYTES_MAX", "Outbox", "Sent"]

# Bytes of signals and messages that wait for the next frame of a shard; more are dropped.
OUTBOX_BYTES_MAX = 1024 * 1024

# An item, and a frame, take so many bytes besides their texts and bodies.
ITEM_BYTES = 48
FRAME_BYTES = 128

# An encoded frame, and its shard.
Sent = tuple[int, bytes]
_Item = StreamEvents | Noticed | Broadcast | NodeRequest | NodeAnswer


class Outbox:
    """
    Signals and messages that wait for the next frame, and the number of the last frame.

    Args:
        me: the id of this node.
        frame_bytes_max: the largest frame that the bus carries.
    """

    def __init__(self, me: str, frame_bytes_max: int) -> None:
        self._me = me
        self._room = frame_bytes_max - FRAME_BYTES
        self._numbers = [0] * SHARDS
        self._waiting: list[list[_Item]] = [[] for _ in range(SHARDS)]
        self._sizes = [0] * SHARDS

    def put(self, shard: int, item: Noticed | Broadcast | NodeRequest | NodeAnswer) -> bool:
        """Let an item wait for the next frame; return False if it was dropped."""
        size = _size(item)
        if size > self._room or self._sizes[shard] + size > OUTBOX_BYTES_MAX:
            return False
        self._waiting[shard].append(item)
        self._sizes[shard] += size
        return True

    def events(self, streams: Mapping[str, tuple[int, Sequence[bytes]]]) -> Iterator[Sent]:
        """
        Yield the frames of a commit, with whatever else waits for these shards.

        Args:
            streams: a stream -> the seq of its first new event, and the encoded events.
        """
        shards: dict[int, list[_Item]] = defaultdict(list)
        for stream, (first, bodies) in streams.items():
            shards[shard_of(stream)].append(StreamEvents(stream, first, bodies))
        for shard, items in shards.items():
            yield from self._frames(shard, [*self._take(shard), *items])

    def rest(self) -> Iterator[Sent]:
        """Yield frames of all that waits."""
        for shard in range(SHARDS):
            if self._waiting[shard]:
                yield from self._frames(shard, self._take(shard))

    def beats(self, now: float) -> Iterator[Sent]:
        """Yield a heartbeat for each shard."""
        for shard, number in enumerate(self._numbers):
            yield shard, encode_frame(Frame(self._me, shard, number, now))

    def _take(self, shard: int) -> list[_Item]:
        items, self._waiting[shard] = self._waiting[shard], []
        self._sizes[shard] = 0
        return items

    def _frames(self, shard: int, items: Sequence[_Item]) -> Iterator[Sent]:
        room, some = self._room, list[_Item]()
        for item in items:
            size = _size(item)
            if size > self._room and isinstance(item, StreamEvents):
                # The nodes that follow the stream read the store.
                item = StreamEvents(item.stream, item.first + len(item.bodies))  # noqa: PLW2901
                size = _size(item)
            if size > room and some:
                yield shard, self._encode(shard, some)
                room, some = self._room, []
            room -= size
            some.append(item)
        yield shard, self._encode(shard, some)

    def _encode(self, shard: int, items: Sequence[_Item]) -> bytes:
        self._numbers[shard] += 1
        return encode_frame(
            Frame(
                self._me,
                shard,
                self._numbers[shard],
                events=[item for item in items if isinstance(item, StreamEvents)],
                signals=[item for item in items if isinstance(item, Noticed)],
                told=[item for item in items if isinstance(item, Broadcast)],
                asked=[item for item in items if isinstance(item, NodeRequest)],
                answered=[item for item in items if isinstance(item, NodeAnswer)],
            )
        )


def _size(item: _Item) -> int:
    match item:
        case StreamEvents(stream, _, bodies):
            # A character takes up to four bytes.
            return ITEM_BYTES + 4 * len(stream) + sum(map(len, bodies)) + 5 * len(bodies)
        case Noticed(name, body) | Broadcast(name, body):
            return ITEM_BYTES + 4 * len(name) + len(body)
        case NodeRequest(to, _, kind, body):
            return ITEM_BYTES + 4 * (len(to) + len(kind)) + len(body)
        case NodeAnswer(to, _, answer):
            return ITEM_BYTES + 4 * len(to) + len(answer or b"")
