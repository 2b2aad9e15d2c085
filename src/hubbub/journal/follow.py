"""History, and then what is live, in one unbroken sequence."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from ..errors import Closed, NotMember
from .event import Event
from .topic import CHUNK_EVENTS_MAX, Follower, Topic

__all__ = ["Events", "Tail"]

Read = Callable[[str, int, int], Awaitable[list[bytes]]]


class Tail:
    """
    A follower's view of a stream, for somebody who can wait.

    Args:
        stream: what is followed.
        topic: its live part.
        follower: the cursor, already one of the topic's followers.
        read: reads the store: (stream, after, limit).
    """

    __slots__ = ("_read", "follower", "stream", "topic")

    def __init__(self, stream: str, topic: Topic, follower: Follower, read: Read) -> None:
        self.stream = stream
        self.topic = topic
        self.follower = follower
        self._read = read

    async def next(self) -> Sequence[bytes]:
        """
        Return the next events, encoded: at least one, and what else is there, to a limit.

        Raises:
            NotMember: the right to read the stream has ended.
            Closed: the hub is going.
        """
        topic, follower = self.topic, self.follower
        while True:
            cursor = follower.cursor
            if follower.until is not None and cursor >= follower.until:
                raise NotMember("You are no longer a member of this stream; join it again.")
            bodies: Sequence[bytes] = ()
            if cursor < topic.base:
                bodies = await self.older(cursor)
            elif cursor < topic.head:
                bodies = topic.since(cursor, follower.until)
            elif topic.closed:
                raise Closed("The hub is closing; open it again and follow from the last seq.")
            else:
                await topic.wait(cursor)
            if bodies:
                follower.cursor += len(bodies)
                return bodies

    async def older(self, cursor: int) -> Sequence[bytes]:
        """Read what has left the topic's tail."""
        bodies = await self._read(self.stream, cursor, CHUNK_EVENTS_MAX)
        self.topic.backfill(cursor, bodies)
        if self.follower.until is not None:
            bodies = bodies[: self.follower.until - cursor]
        return bodies


class Events(AsyncIterator[Event]):
    """
    The events of a tail, one by one.

    Args:
        tail: where they come from.
        decode: makes an event of its bytes.
    """

    __slots__ = ("_bodies", "_decode", "_next", "_tail")

    def __init__(self, tail: Tail, decode: Callable[[bytes], Event]) -> None:
        self._tail = tail
        self._decode = decode
        self._bodies: Sequence[bytes] = ()
        self._next = 0

    async def __anext__(self) -> Event:
        if self._next == len(self._bodies):
            self._bodies, self._next = await self._tail.next(), 0
        self._next += 1
        return self._decode(self._bodies[self._next - 1])
