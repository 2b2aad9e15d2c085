"""Watches a connected user's stream, so that a sign-in ends here wherever its user signs out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial

import anyio

from ..errors import Closed, Conflict, HubbubError
from ..hub import Hubbub
from ..journal.actor import Actor
from ..journal.command import Call
from ..journal.containment import tell_each
from ..journal.event import Event
from ..journal.live.topic import Follower, Topic
from ..stream_names import user_stream

__all__ = ["SignInWatch"]

logger = logging.getLogger("hubbub.server")

# The first pause, in seconds, before another attempt to watch, or to read older events.
RETRY_SECONDS_MIN = 0.1
# The longest such pause, in seconds.
RETRY_SECONDS_MAX = 5.0
# Events that are read together.
READ_EVENTS = 100


class SignInWatch:
    """
    A follower of the stream of one session's user, from the event that admitted the session on.

    Args:
        hub: the hub.
        actor: the session.
        happened: called with new events of the user's stream.
        reset: called if the stream no longer has the event that admitted the session.
    """

    __slots__ = (
        *("_begun", "_follower", "_happened", "_hub", "_reading", "_reset", "_stream", "_wait"),
    )

    def __init__(
        self,
        hub: Hubbub,
        actor: Actor,
        happened: Callable[[Sequence[Event]], None],
        reset: Callable[[], None],
    ) -> None:
        self._hub = hub
        self._stream = user_stream(actor.user)
        self._follower: Follower | None = Follower(actor.user, actor.admitted)
        self._happened = happened
        self._reset = reset
        self._begun = False
        self._reading = False
        self._wait = RETRY_SECONDS_MIN
        self._begin()

    def release(self) -> None:
        """Stop watching."""
        if (follower := self._follower) is not None:
            self._follower = follower.flush = None
            self._hub.journal.detach(self._stream, follower)

    def _begin(self) -> None:
        """Follow the stream with the next batch of commands."""
        if (follower := self._follower) is None:
            return
        follower.flush = self._flush
        journal, done = self._hub.journal, partial(self._attached, follower)
        try:
            journal.submit(
                journal.follow_call(follower.user, self._stream, follower.cursor, follower, done)
            )
        except HubbubError as error:
            self._failed(error)

    def _attached(self, follower: Follower, call: Call[int]) -> None:
        if self._follower is None:
            # The client has disconnected in the meantime.
            self._hub.journal.detach(self._stream, follower)
        elif call.error is not None:
            self._failed(call.error)
        else:
            self._begun = True
            # The batch of the call flushes.
            self._flush()

    def _failed(self, error: Exception) -> None:
        if isinstance(error, Conflict):
            self._reset()
        elif not isinstance(error, Closed):
            logger.warning("%s cannot be watched yet: %s", self._stream, error)
            self._hub.start(self._begin_later)

    async def _begin_later(self) -> None:
        await anyio.sleep(self._wait)
        self._wait = min(2 * self._wait, RETRY_SECONDS_MAX)
        self._begin()

    def _catch_up(self) -> None:
        self._flush()
        tell_each(self._hub.journal.after_batch)

    def _flush(self) -> None:
        try:
            self._look()
        except Exception:  # affects one session
            logger.exception("a sign-in could not be watched: %s", self._stream)

    def _look(self) -> None:
        follower, topic = self._follower, self._hub.journal.topic(self._stream)
        if follower is None or topic is None or not self._begun:
            return
        while not self._reading and follower.cursor < topic.head:
            if follower.cursor < topic.base:
                self._reading = True
                self._hub.start(self._read, follower, topic)
                return
            self._take(follower, topic.since(follower.cursor))

    async def _read(self, follower: Follower, topic: Topic) -> None:
        """Read what has left the topic's tail."""
        wait, journal = RETRY_SECONDS_MIN, self._hub.journal
        try:
            while self._follower is follower and follower.cursor < topic.base:
                try:
                    bodies = await journal.read(self._stream, follower.cursor, READ_EVENTS)
                    self._take(follower, bodies)
                    continue
                except HubbubError as error:
                    logger.warning("%s cannot be read yet: %s", self._stream, error.message)
                await anyio.sleep(wait)
                wait = min(2 * wait, RETRY_SECONDS_MAX)
        finally:
            self._reading = False
        self._catch_up()

    def _take(self, follower: Follower, bodies: Sequence[bytes]) -> None:
        follower.cursor += len(bodies)
        decode = self._hub.journal.streams.decode
        self._happened([decode(body) for body in bodies])
