"""History and then live events, in one unbroken sequence."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Protocol

from ...errors import Closed, NotMember
from ..command import Call
from ..event import Event, Streams
from .topic import BATCH_EVENTS_MAX, Follower, Topic, cut

__all__ = ["Events", "Following", "Tail", "check_open"]

Read = Callable[[str, int, int], Awaitable[list[bytes]]]


class Tail:
    """
    A follower's view of a stream, for a task that can wait.

    Args:
        stream: the stream's name.
        topic: its live part.
        follower: the cursor, already attached to the topic.
        read: reads the store: (stream, after, limit).
        check_home: raises WrongLoop in another event loop than the journal's.
    """

    __slots__ = ("_check_home", "_limit", "_read", "follower", "stream", "topic")

    def __init__(
        self,
        stream: str,
        topic: Topic,
        follower: Follower,
        read: Read,
        check_home: Callable[[], None] | None = None,
    ) -> None:
        self.stream = stream
        self.topic = topic
        self.follower = follower
        self._read = read
        self._check_home = check_home
        # Events read at once: as many as a batch can hold.
        self._limit = BATCH_EVENTS_MAX

    async def next(self) -> Sequence[bytes]:
        """
        Return the next events, encoded: at least one, and any others, up to a limit.

        Raises:
            NotMember: the user's access to the stream has ended.
            Closed: the hub is closing.
            WrongLoop: the hub was opened in another event loop.
        """
        topic, follower = self.topic, self.follower
        while True:
            cursor = follower.cursor
            at_end = follower.until is not None and cursor >= follower.until
            bodies: Sequence[bytes] = ()
            if cursor >= topic.head or at_end:
                check_open(topic, follower)
                if self._check_home is not None:
                    self._check_home()
                await topic.wait(cursor)
            elif cursor < topic.base:
                bodies = await self.older(cursor)
            else:
                bodies = topic.since(cursor, follower.until)
            if bodies:
                follower.cursor += len(bodies)
                return bodies

    async def older(self, cursor: int) -> Sequence[bytes]:
        """Read events that have left the topic's tail."""
        redactions = self.topic.redactions
        bodies = await self._read(self.stream, cursor, self._limit)
        fit = cut(bodies)
        # Reading what does not fit is wasted: read less the next time.
        self._limit = BATCH_EVENTS_MAX if len(fit) == len(bodies) else len(fit)
        if self.topic.redactions == redactions:
            # An event that was deleted in the meantime is still here with its text: read again.
            self.topic.backfill(cursor, bodies)
        # The store may have unpublished events from after the end of the user's access.
        last = self.topic.head
        if self.follower.until is not None:
            last = min(last, self.follower.until)
        return fit[: last - cursor]


class Events(AsyncIterator[Event]):
    """
    Iterates over the events of a tail.

    Args:
        tail: the source of the events.
        decode: decodes an event.
    """

    __slots__ = ("_bodies", "_decode", "_next", "_tail")

    def __init__(self, tail: Tail, decode: Callable[[bytes], Event]) -> None:
        self._tail = tail
        self._decode = decode
        self._bodies: Sequence[bytes] = ()
        self._next = 0

    async def batch(self) -> tuple[int, Sequence[bytes]]:
        """Return the seq of the next event, and it with any others, encoded."""
        bodies = await self._tail.next()
        return self._tail.follower.cursor - len(bodies) + 1, bodies

    async def __anext__(self) -> Event:
        if self._next == len(self._bodies):
            self._bodies, self._next = await self._tail.next(), 0
        self._next += 1
        return self._decode(self._bodies[self._next - 1])


def check_open(topic: Topic, follower: Follower) -> None:
    """
    Return if more events can follow for a follower that has all events.

    Raises:
        NotMember: the user's access to the stream has ended.
        Closed: the hub is closing.
    """
    if follower.until is not None and follower.cursor >= follower.until:
        raise NotMember("You are no longer a member of this stream; join it again.")
    if topic.closed:
        raise Closed("The hub is closing; open it again and follow after the last seq.")


class Followable(Protocol):
    """Has streams that can be followed: the journal."""

    streams: Streams

    def follow_call(
        self,
        user: str,
        stream: str,
        after: int | None,
        follower: Follower,
        on_done: Callable[[Call[int]], None] | None = None,
    ) -> Call[int]:
        """Make a call that attaches a follower."""

    def submit(self, call: Call[int]) -> None:
        """Queue a call without waiting."""

    def wait_for(self, call: Call[int]) -> Coroutine[Any, Any, int]:
        """Queue a call, and return its outcome."""

    def topic(self, stream: str) -> Topic | None:
        """Return a stream's topic, or None."""

    def read(
        self, stream: str, after: int, limit: int, *, by: str = ""
    ) -> Coroutine[Any, Any, list[bytes]]:
        """Return encoded events after a seq."""

    def detach(self, stream: str, follower: Follower) -> None:
        """Detach a follower."""

    def check_home(self) -> None:
        """Raise WrongLoop in another event loop than the journal's."""


class Following:
    """
    Follows a stream while it is entered.

    A class and not a generator, because thousands of tasks may wait in it.

    Args:
        journal: the journal.
        stream: the stream's name.
        after: the last seq that the follower has; None follows only new events.
        follower: the cursor.
    """

    __slots__ = ("_after", "_follower", "_journal", "_stream")

    def __init__(
        self, journal: Followable, stream: str, after: int | None, follower: Follower
    ) -> None:
        self._journal = journal
        self._stream = stream
        self._after = after
        self._follower = follower

    async def __aenter__(self) -> Events:
        journal, stream, follower = self._journal, self._stream, self._follower
        call = journal.follow_call(follower.user, stream, self._after, follower)
        call.waits = True
        try:
            await journal.wait_for(call)
        except BaseException:
            # The call of a cancelled task may still run, or may just have finished.
            call.on_done = None
            journal.detach(stream, follower)
            raise
        topic = journal.topic(stream)
        assert topic is not None
        read = partial(journal.read, by=follower.user)
        tail = Tail(stream, topic, follower, read, journal.check_home)
        return Events(tail, journal.streams.decode)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._journal.detach(self._stream, self._follower)
