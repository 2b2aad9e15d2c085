"""Watches a connected user's stream, so that a sign-in ends here wherever its user signs out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import anyio

from ..errors import Closed, Conflict, HubbubError
from ..hub import Hubbub
from ..journal.actor import Actor
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

    __slots__ = ("_begun", "_follower", "_happened", "_hub", "_reading", "_reset", "_stream")

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
        hub.start(self._begin, actor.admitted)

    def release(self) -> None:
        """Stop watching."""
        if (follower := self._follower) is not None:
            self._follower = follower.flush = None
            self._hub.journal.detach(self._stream, follower)

    async def _begin(self, after: int) -> None:
        wait, journal = RETRY_SECONDS_MIN, self._hub.journal
        while (follower := self._follower) is not None:
            follower.flush = self._flush
            call = journal.follow_call(follower.user, self._stream, after, follower)
            call.waits = True
            try:
                await journal.wait_for(call)
            except Closed:
                return
            except Conflict:
                self._reset()
                return
            except HubbubError as error:
                logger.warning("%s cannot be watched yet: %s", self._stream, error.message)
            else:
                self._begun = True
                break
            await anyio.sleep(wait)
            wait = min(2 * wait, RETRY_SECONDS_MAX)
        if self._follower is None and follower is not None:
            # The client has disconnected in the meantime.
            journal.detach(self._stream, follower)
        self._catch_up()

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
