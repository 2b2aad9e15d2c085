"""The runtime of users, which all sessions of a hub share: presence and accounts."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

from .. import names
from ..feature import Host
from ..journal.threads import Threads
from ..stream_names import user_stream
from .accounts import Accounts
from .claims import claim_old_names
from .presence import Presence
from .presence_relay import PresenceRelay
from .presence_signals import PresenceSignals
from .user import Status

__all__ = ["UsersRuntime", "running_users"]


class UsersRuntime:
    """
    The presence and the accounts of a hub's users.

    Args:
        hub: the hub.
    """

    def __init__(self, hub: Host) -> None:
        self._hub = hub
        settings = hub.settings
        self.presence = Presence(
            settings.presence_grace_seconds, settings.clock.monotonic, self._changed
        )
        self.accounts = Accounts(hub.itself)
        self._signals = PresenceSignals(hub.itself, self.presence.status, hub.start, hub.quotas)
        self.relay: PresenceRelay | None = None
        if hub.journal.store.shared:
            self.relay = PresenceRelay(
                hub.journal.nodes,
                self.presence,
                lambda user_id: hub.journal.peek(user_stream(user_id)) is not None,
            )

    def _changed(self, user_id: str, status: Status) -> None:
        if self._hub.is_open:
            self._signals.tell(user_id, status)


@asynccontextmanager
async def running_users(hub: Host) -> AsyncGenerator[UsersRuntime]:
    """Run presence, and protect the names of old accounts."""
    await Threads(1).run(names.read_names_ahead)
    users = UsersRuntime(hub)
    hub.keep_running("presence", users.presence.run)
    if users.relay is not None:
        hub.keep_running("the presence of other nodes", users.relay.run)
    if hub.journal.store.blocking:
        # An old database may have accounts whose names are not claimed yet.
        hub.keep_running("old names", partial(claim_old_names, hub.itself))
    yield users
