"""Signals of presence, for the followers of a user's rooms and conversations."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import anyio
import msgspec

from ..errors import Closed, HubbubError, Overloaded, RateLimited, StorageError
from ..journal.actor import Actor
from ..journal.cluster.frames import MESSAGE_BYTES_MAX
from ..journal.command import Call, Command, nothing
from ..journal.containment import tell_each
from ..journal.decide.states import States
from ..journal.event import Event, Signal
from ..journal.link import Links
from ..journal.schedule import HUB
from ..quotas import PRESENCE, Quotas
from ..stream_names import user_stream
from .message_parts import message_parts
from .user import Status

__all__ = ["PresenceNews", "PresenceSignals"]

logger = logging.getLogger("hubbub.users")

SHARED = ("room/", "direct/")
KIND = "presence signals"
# A message to other nodes leaves room for its frame and the user's id.
PART_BYTES_MAX = MESSAGE_BYTES_MAX // 2
# How long a status waits after the store has failed.
AGAIN_SECONDS = 5.0


class PresenceNews(msgspec.Struct, frozen=True, array_like=True):
    """
    A user's new status, for the followers of some streams.

    Args:
        user: the user.
        status: the status.
        streams: the streams that the user takes part in.
    """

    user: str
    status: Status
    streams: list[str]


class PresenceSignals:
    """
    Signals when a user connects, disconnects, or is away.

    Args:
        hub: the actor of the hub's own commands.
        status: returns a user's current status.
        start: runs a task in the hub, from anywhere.
        quotas: limit how often a user's status is signalled.
    """

    def __init__(
        self,
        hub: Actor,
        status: Callable[[str], Status],
        start: Callable[..., None],
        quotas: Quotas,
    ) -> None:
        self._hub = hub
        self._status = status
        self._start = start
        self._quotas = quotas
        # Users who change too often, or whose streams the store could not read; followers get
        # their last status later.
        self._late: set[str] = set()
        self._nodes = hub.journal.nodes if hub.journal.store.shared else None
        if self._nodes is not None:
            self._nodes.hear[KIND] = self._hear

    def tell(self, user_id: str, status: Status) -> None:
        """Signal a user's status to the followers of their streams, within the quotas."""
        if user_id in self._late:
            return
        try:
            self._quotas.charge(PRESENCE, user_id, "")
        except RateLimited as limited:
            self._late.add(user_id)
            self._start(self._tell_later, user_id, limited.retry_after)
            return
        links = self._hub.journal.peek(user_stream(user_id))
        if isinstance(links, Links):
            if self._signal(user_id, links.links, status):
                self._flush()
        else:
            self._look_up(user_id)

    async def _tell_later(self, user_id: str, seconds: float) -> None:
        await anyio.sleep(seconds)
        self._late.discard(user_id)
        self.tell(user_id, self._status(user_id))

    def _look_up(self, user_id: str) -> None:
        stream = user_stream(user_id)

        def links(states: States, events: Sequence[Event]) -> list[str]:
            return list(states.of(Links, stream).links)

        command = Command(HUB, nothing, links, reads=(stream,))
        call = Call(command, on_done=partial(self._looked_up, user_id))
        try:
            # At once, so that it finds the rooms that the user is in now, and none that a next
            # command joins.
            self._hub.journal.submit(call)
        except HubbubError as error:
            self._failed(user_id, error)

    def _looked_up(self, user_id: str, call: Call[list[str]]) -> None:
        if call.error is not None:
            self._failed(user_id, call.error)
        else:
            # The batch of the call flushes.
            self._signal(user_id, call.outcome(), self._status(user_id))

    def _failed(self, user_id: str, error: Exception) -> None:
        if isinstance(error, StorageError | Overloaded):
            # The health of the store logs its failures.
            if user_id not in self._late:
                self._late.add(user_id)
                self._start(self._tell_later, user_id, AGAIN_SECONDS)
        elif not isinstance(error, Closed):
            logger.warning("the presence of %s is not signalled", user_id, exc_info=error)

    def _signal(self, user_id: str, links: Iterable[str], status: Status) -> bool:
        """Signal a status on all nodes; return whether there are followers on this node."""
        streams = [stream for stream in links if stream.startswith(SHARED)]
        shown = self._show(PresenceNews(user_id, status, streams))
        if self._nodes is not None:
            for part in message_parts(streams, _bytes_of, PART_BYTES_MAX):
                body = msgspec.msgpack.encode(PresenceNews(user_id, status, part))
                self._nodes.tell(KIND, body)
        return shown

    def _hear(self, node: str, body: bytes) -> None:
        if self._show(msgspec.msgpack.decode(body, type=PresenceNews)):
            self._flush()

    def _show(self, news: PresenceNews) -> bool:
        """Signal a status to the followers on this node; return whether there are any."""
        journal, most = self._hub.journal, self._hub.settings.presence_followers_max
        shown = False
        for stream in news.streams:
            topic = journal.topic(stream)
            # Each node compares with its own followers.
            if topic is not None and 0 < len(topic.followers) <= most:
                signal = Signal(stream, news.user, "presence", {"status": news.status})
                topic.signal(msgspec.json.encode(signal))
                shown = True
        return shown

    def _flush(self) -> None:
        tell_each(self._hub.journal.after_batch)


def _bytes_of(stream: str) -> int:
    return len(stream.encode())
