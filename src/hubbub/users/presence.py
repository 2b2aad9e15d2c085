"""Presence: the connected users, counted in memory by session."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import anyio

from ..wake_up import WakeUp
from .user import Status

__all__ = ["LOST_MAX", "Presence"]

# Users who have lost their connection and can still reconnect; above this number, the first
# to disconnect go offline at once.
LOST_MAX = 10_000


class Presence:
    """
    The users who have a session now, or lost it a few seconds ago.

    Args:
        grace_seconds: how long a user who loses the connection keeps their status, for
            example to reload a page.
        now: returns the time, in seconds.
        changed: called with a user and the new status on each change.
    """

    def __init__(
        self,
        grace_seconds: float,
        now: Callable[[], float],
        changed: Callable[[str, Status], None] | None = None,
    ) -> None:
        self._grace_seconds = grace_seconds
        self._now = now
        self._changed = changed
        # The sessions of each user, and whether each is away; none while the user may reconnect.
        self._sessions: dict[str, dict[object, bool]] = {}
        # Users who may reconnect, with their previous status; the first to disconnect first.
        self._lost: dict[str, tuple[float, Status]] = {}
        self._to_forget: deque[tuple[float, str]] = deque()
        self._wake_up = WakeUp()

    @property
    def count(self) -> int:
        """The number of sessions."""
        return sum(map(len, self._sessions.values()))

    def connect(self, user_id: str, session: object) -> None:
        """Count a session of a user."""
        before = self.status(user_id)
        self._lost.pop(user_id, None)
        self._sessions.setdefault(user_id, {})[session] = False
        self._tell(user_id, before)

    def disconnect(self, user_id: str, session: object, *, lost: bool = False) -> None:
        """
        Uncount a session of a user.

        Args:
            user_id: whose it was.
            session: the same object as in :meth:`connect`.
            lost: True if the client did not say goodbye, and may reconnect.
        """
        before = self.status(user_id)
        sessions = self._sessions[user_id]
        del sessions[session]
        if not sessions and lost and self._grace_seconds > 0:
            self._linger(user_id, before)
        elif not sessions:
            del self._sessions[user_id]
        self._tell(user_id, before)

    def set_away(self, user_id: str, session: object, *, away: bool) -> bool:
        """Mark a session as away or back; return False if there is no such session."""
        sessions = self._sessions.get(user_id, {})
        if session not in sessions:
            return False
        before = self.status(user_id)
        sessions[session] = away
        self._tell(user_id, before)
        return True

    def status(self, user_id: str) -> Status:
        """Return ``online``, ``away`` if all sessions are, or ``offline``."""
        if (lost := self._lost.get(user_id)) is not None:
            return lost[1]
        sessions = self._sessions.get(user_id)
        if not sessions:
            return "offline"
        return "away" if all(sessions.values()) else "online"

    def is_connected(self, user_id: str) -> bool:
        """Return whether a user has a session now."""
        return bool(self._sessions.get(user_id))

    def online(self) -> list[str]:
        """Return the users who are not offline, in the order in which they connected."""
        return list(self._sessions)

    def sessions(self, user_id: str) -> list[object]:
        """Return a user's sessions, as :meth:`connect` got them."""
        return list(self._sessions.get(user_id, ()))

    async def run(self) -> None:
        """Mark users as offline whose grace period has passed, until cancelled."""
        while True:
            while self._to_forget and self._to_forget[0][0] <= self._now():
                self._forget(*self._to_forget.popleft())
            wait = None if not self._to_forget else self._to_forget[0][0] - self._now()
            with anyio.move_on_after(wait):
                await self._wake_up.wait()

    def _linger(self, user_id: str, status: Status) -> None:
        until = self._now() + self._grace_seconds
        self._lost[user_id] = (until, status)
        # The grace period is the same for all, so they expire in the order in which they began.
        self._to_forget.append((until, user_id))
        if len(self._to_forget) > LOST_MAX:
            self._forget(*self._to_forget.popleft())
        self._wake_up.set()

    def _forget(self, until: float, user_id: str) -> None:
        lost = self._lost.get(user_id)
        # The user may have reconnected, and disconnected again.
        if lost is not None and lost[0] == until:
            del self._lost[user_id], self._sessions[user_id]
            self._tell(user_id, lost[1])

    def _tell(self, user_id: str, before: Status) -> None:
        after = self.status(user_id)
        if self._changed is not None and after != before:
            self._changed(user_id, after)
