"""A stream that a socket follows: the topic writes straight to the socket."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from ...errors import Closed, HubbubError
from ...hub import Hubbub
from ...journal.command import Call
from ...journal.live.following import Tail
from ...journal.live.topic import Follower, Topic
from .socket import Socket

__all__ = ["SocketFollow"]

logger = logging.getLogger("hubbub.server")


class SocketFollow:
    """
    A cursor into a topic, and the socket that gets the events.

    While the socket asks for a pause, the cursor does not move, so nothing piles up. If it has left
    the topic's tail, a task reads the store until the cursor is back in the tail.

    Args:
        hub: the hub of the stream.
        socket: gets the batches.
        stream: the stream's name.
        user: the user who follows.
        ended: called when the server ends it, with the reason.
    """

    __slots__ = ("_catching_up", "_ended", "_hub", "_socket", "_topic", "follower", "stream")

    def __init__(
        self,
        hub: Hubbub,
        socket: Socket,
        stream: str,
        user: str,
        ended: Callable[[str, HubbubError], None],
    ) -> None:
        self.stream = stream
        self.follower = Follower(user, 0)
        self._hub = hub
        self._socket = socket
        self._topic: Topic | None = None
        self._catching_up = False
        self._ended = ended

    def call(self, after: int | None, on_done: Callable[[Call[int]], None]) -> Call[int]:
        """Make the call that adds the follower to the stream."""
        journal = self._hub.journal
        return journal.follow_call(self.follower.user, self.stream, after, self.follower, on_done)

    def begin(self) -> None:
        """Write the events that are there, and from now on each new event."""
        self._topic = self._hub.journal.topic(self.stream)
        self.follower.flush, self.follower.failed = self.flush, self._fail
        self.follower.sink = self._socket
        self.flush()

    def release(self) -> None:
        """Stop following."""
        self._hub.journal.detach(self.stream, self.follower)
        self.follower.flush = self.follower.sink = self.follower.failed = None
        self._topic = None

    def flush(self) -> None:
        """Write the events that the socket lacks, until it asks for a pause."""
        try:
            self._flush()
        except Exception as error:
            # The other followers of the stream still get their events.
            self._fail(error)

    def _flush(self) -> None:
        topic, follower, socket = self._topic, self.follower, self._socket
        while topic is not None and not socket.paused and not self._catching_up:
            cursor = follower.cursor
            if follower.until is not None:
                # The right to read has ended: the socket gets the events up to there.
                self._begin_to_catch_up(topic)
                return
            if cursor >= topic.head:
                return
            if cursor < topic.base:
                self._begin_to_catch_up(topic)
                return
            batch, follower.cursor = topic.batch(cursor, socket.encoder)
            socket.send_batch(batch)
            # Not only publications come here, and no flush of the gateway may follow.
            socket.flush()
            if follower.cursor == topic.head:
                return

    def _begin_to_catch_up(self, topic: Topic) -> None:
        self._catching_up, self.follower.sink = True, None
        self._hub.start(self._catch_up, topic)

    async def _catch_up(self, topic: Topic) -> None:
        read = partial(self._hub.journal.read, by=self.follower.user)
        tail = Tail(self.stream, topic, self.follower, read)
        try:
            while self._topic is topic and not self._socket.paused:
                cursor = self.follower.cursor
                if cursor >= topic.base and self.follower.until is None:
                    break
                bodies = await tail.next()
                if self._socket.paused:
                    # It has asked for a pause meanwhile: read them again after the pause.
                    self.follower.cursor -= len(bodies)
                elif self._topic is topic:
                    self._socket.send_batch(self._socket.encoder(bodies))
                    self._socket.flush()
        except Exception as error:
            # If it was released meanwhile, the client may already follow the stream again.
            if self._topic is topic:
                self._fail(error)
        finally:
            self._catching_up = False
        if self._topic is topic and self.follower.until is None:
            self.follower.sink = self._socket
        self.flush()

    def _fail(self, error: Exception) -> None:
        if not isinstance(error, HubbubError):
            logger.error("A follower of %s failed", self.stream, exc_info=error)
            error = Closed("The server failed; follow the stream again.")
        self._ended(self.stream, error)
