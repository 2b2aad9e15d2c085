"""Presence, told to those who follow a room or a conversation that one is in."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence

from ..errors import HubbubError
from ..journal.agenda import HUB
from ..journal.caller import Caller
from ..journal.command import Command, nothing
from ..journal.event import Event, Signal
from ..journal.link import Links
from ..journal.states import States
from .user import Status

__all__ = ["PresenceSignals"]

logger = logging.getLogger("hubbub.users")

SHARED = ("room/", "direct/")


class PresenceSignals:
    """
    Tells of those who come, go, or look away.

    Args:
        hub: whose commands are those of the hub itself.
        status: tells how somebody is now.
        start: runs something in the hub's task group, from anywhere.
    """

    def __init__(
        self, hub: Caller, status: Callable[[str], Status], start: Callable[..., None]
    ) -> None:
        self._hub = hub
        self._status = status
        self._start = start

    def tell(self, user_id: str, status: Status) -> None:
        """Tell those who follow what this user is in, unless that is too many."""
        links = self._hub.journal.peek(f"user/{user_id}")
        if isinstance(links, Links):
            self._signal(user_id, links.links, status)
        else:
            self._start(self._look_up, user_id)

    async def _look_up(self, user_id: str) -> None:
        stream = f"user/{user_id}"

        def links(states: States, events: Sequence[Event]) -> list[str]:
            return list(states.of(Links, stream).links)

        try:
            streams = await self._hub.execute(Command(HUB, nothing, links, reads=(stream,)))
        except HubbubError:
            logger.warning("presence of %s is not told", user_id, exc_info=True)
            return
        self._signal(user_id, streams, self._status(user_id))

    def _signal(self, user_id: str, streams: Iterable[str], status: Status) -> None:
        journal, most = self._hub.journal, self._hub.settings.presence_followers_max
        for stream in streams:
            topic = journal.topic(stream) if stream.startswith(SHARED) else None
            if topic is not None and 0 < len(topic.followers) <= most:
                journal.signal(Signal(stream, user_id, "presence", {"status": status}))
