"""A stream that a socket follows: written to straight from the topic."""

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
    A cursor into a topic, and the socket that events are written to.

    While the socket asks for a pause the cursor stands still, and nothing piles up;
    when it has left the topic's tail, a task reads the store until it is back in it.

    Args:
        hub: whose stream it is.
        socket: where batches are sent.
        stream: the stream's name.
        user: who follows.
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
        """Make the call that lets the follower in."""
        journal = self._hub.journal
        return journal.follow_call(self.follower.user, self.stream, after, self.follower, on_done)

    def begin(self) -> None:
        """Write what is there, and from now on what comes."""
        self._topic = self._hub.journal.topic(self.stream)
        self.follower.flush = self.flush
        self.flush()

    def release(self) -> None:
        """Follow no longer."""
        self._hub.journal.detach(self.stream, self.follower)
        self.follower.flush = None
        self._topic = None

    def flush(self) -> None:
        """Write what the socket lacks, as far as it takes it."""
        try:
            self._flush()
        except Exception as error:
            # The others who follow the stream are written to all the same.
            self._fail(error)

    def _flush(self) -> None:
        topic, follower, socket = self._topic, self.follower, self._socket
        while topic is not None and not socket.paused and not self._catching_up:
            cursor = follower.cursor
            if follower.until is not None:
                self._finish(topic)
                return
            if cursor >= topic.head:
                return
            if cursor < topic.base:
                self._catching_up = True
                self._hub.start(self._catch_up, topic)
                return
            batch, follower.cursor = topic.batch(cursor, socket.encoder)
            socket.send_batch(batch)
            if follower.cursor == topic.head:
                return

    def _finish(self, topic: Topic) -> None:
        # The right to read has ended: what comes up to there, and no more.
        self._catching_up = True
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
                    # It has asked for a pause meanwhile: they are read again when it is over.
                    self.follower.cursor -= len(bodies)
                elif self._topic is topic:
                    self._socket.send_batch(self._socket.encoder(bodies))
        except Exception as error:
            # Unless it was released meanwhile: the stream may be followed anew already.
            if self._topic is topic:
                self._fail(error)
        finally:
            self._catching_up = False
        self.flush()

    def _fail(self, error: Exception) -> None:
        if not isinstance(error, HubbubError):
            logger.error("A follower of %s failed", self.stream, exc_info=error)
            error = Closed("The server failed; follow the stream again.")
        self._ended(self.stream, error)
