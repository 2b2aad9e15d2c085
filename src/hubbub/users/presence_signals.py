"""Signals of presence, for the followers of a user's rooms and conversations."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence

import anyio
import msgspec

from ..errors import HubbubError, RateLimited, StorageError
from ..journal.actor import Actor
from ..journal.cluster.frames import MESSAGE_BYTES_MAX
from ..journal.command import Command, nothing
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
            self._signal(user_id, links.links, status)
        else:
            self._start(self._look_up, user_id)

    async def _tell_later(self, user_id: str, seconds: float) -> None:
        await anyio.sleep(seconds)
        self._late.discard(user_id)
        self.tell(user_id, self._status(user_id))

    async def _look_up(self, user_id: str) -> None:
        stream = user_stream(user_id)

        def links(states: States, events: Sequence[Event]) -> list[str]:
            return list(states.of(Links, stream).links)

        try:
            streams = await self._hub.execute(Command(HUB, nothing, links, reads=(stream,)))
        except StorageError:
            # The health of the store logs its failures.
            if user_id not in self._late:
                self._late.add(user_id)
                self._start(self._tell_later, user_id, AGAIN_SECONDS)
            return
        except HubbubError:
            logger.warning("the presence of %s is not signalled", user_id, exc_info=True)
            return
        self._signal(user_id, streams, self._status(user_id))

    def _signal(self, user_id: str, links: Iterable[str], status: Status) -> None:
        streams = [stream for stream in links if stream.startswith(SHARED)]
        self._show(PresenceNews(user_id, status, streams))
        if self._nodes is not None:
            for part in message_parts(streams, _bytes_of, PART_BYTES_MAX):
                body = msgspec.msgpack.encode(PresenceNews(user_id, status, part))
                self._nodes.tell(KIND, body)

    def _hear(self, node: str, body: bytes) -> None:
        self._show(msgspec.msgpack.decode(body, type=PresenceNews))

    def _show(self, news: PresenceNews) -> None:
        """Signal a status to the followers on this node."""
        journal, most = self._hub.journal, self._hub.settings.presence_followers_max
        shown = False
        for stream in news.streams:
            topic = journal.topic(stream)
            # Each node compares with its own followers.
            if topic is not None and 0 < len(topic.followers) <= most:
                signal = Signal(stream, news.user, "presence", {"status": news.status})
                topic.signal(msgspec.json.encode(signal))
                shown = True
        if shown:
            tell_each(journal.after_batch)


def _bytes_of(stream: str) -> int:
    return len(stream.encode())
