"""
Presence: the connected users, counted in memory by session.

Where nodes share a store, each tells the others of its users, and has a map of theirs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice

import anyio

from ..errors import NotFound
from ..shown import shown
from ..wake_up import WakeUp
from .presence_map import Attendance, PresenceMap
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
        # The users of other nodes.
        self.others = PresenceMap(grace_seconds, now)
        # Tells other nodes how a user takes part here; None if there are no other nodes.
        self.publish: Callable[[str, Attendance], None] | None = None
        self.is_fresh: Callable[[], bool] = lambda: True
        # Called for a user who has connected to another node, or whose node has died.
        self.moved: Callable[[str], None] = lambda user_id: None

    @property
    def count(self) -> int:
        """The number of sessions on this node."""
        return sum(map(len, self._sessions.values()))

    @property
    def users(self) -> int:
        """The number of users of this node who are not offline."""
        return len(self._sessions)

    @property
    def fresh(self) -> bool:
        """
        False while this node might not know the users of some other node.

        Then a user who is not connected as far as this node knows may be connected to another.
        """
        return self.is_fresh()

    def connect(self, user_id: str, session: object) -> None:
        """Count a session of a user."""
        before = self._before(user_id)
        self._lost.pop(user_id, None)
        self._sessions.setdefault(user_id, {})[session] = False
        # A new session is not away.
        self._tell_change(user_id, before, ("online", Attendance.ONLINE))

    def disconnect(self, user_id: str, session: object, *, lost: bool = False) -> None:
        """
        Uncount a session of a user.

        Args:
            user_id: whose it was.
            session: the same object as in :meth:`connect`.
            lost: True if the client did not say goodbye, and may reconnect.
        """
        before = self._before(user_id)
        sessions = self._sessions[user_id]
        del sessions[session]
        if not sessions and lost and self._grace_seconds > 0:
            self._linger(user_id, before[1].status)
            if self.publish is None:
                # The status stays.
                return
        elif not sessions:
            del self._sessions[user_id]
        self._tell(user_id, before)

    def set_away(self, user_id: str, session: object, *, away: bool) -> bool:
        """Mark a session as away or back; return False if there is no such session."""
        sessions = self._sessions.get(user_id, {})
        if session not in sessions:
            return False
        before = self._before(user_id)
        sessions[session] = away
        self._tell(user_id, before)
        return True

    def status(self, user_id: str) -> Status:
        """Return ``online``, ``away`` if all sessions are, or ``offline``, on all nodes."""
        return self._status(user_id, self._attendance(user_id))

    def _status(self, user_id: str, attendance: Attendance) -> Status:
        here = attendance.status
        if here == "online" or self.publish is None:
            return here
        there = self.others.status(user_id)
        return here if there == "offline" else there

    def is_connected(self, user_id: str) -> bool:
        """Return whether a user has a session now, on any node."""
        if self._sessions.get(user_id):
            return True
        return self.publish is not None and self.others.is_connected(user_id)

    def online(self) -> list[str]:
        """Return the users who are not offline: this node's, in the order they connected, first."""
        return list(self._everywhere())

    def page(self, after: str | None, limit: int) -> list[str]:
        """
        Return some of the users who are not offline, in the order of :meth:`online`.

        Args:
            after: the user before the first of them; None for the first users.
            limit: the number of users.

        Raises:
            NotFound: ``after`` is offline.
        """
        users = self._everywhere()
        if after is not None and after not in users:
            raise NotFound(f"{shown(after)} is not online any more; begin without `after`.")
        # The search for that user has taken all users before the next.
        return list(islice(users, limit))

    def _everywhere(self) -> Iterator[str]:
        yield from self._sessions
        if self.publish is not None:
            seen = set[str]()
            for user in self.others.users():
                if user not in self._sessions and user not in seen:
                    seen.add(user)
                    yield user

    def here(self) -> dict[str, Attendance]:
        """Return how each user takes part on this node."""
        return {user: self._attendance(user) for user in self._sessions}

    def sessions(self, user_id: str) -> list[object]:
        """Return a user's sessions on this node, as :meth:`connect` got them."""
        return list(self._sessions.get(user_id, ()))

    def gone(self, user_id: str) -> None:
        """Signal the status of a user whose node has died a grace period ago."""
        if self._changed is not None:
            self._changed(user_id, self.status(user_id))

    async def run(self) -> None:
        """Mark users as offline whose grace period has passed, until cancelled."""
        while True:
            while self._to_forget and self._is_over(*self._to_forget[0]):
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
        if len(self._to_forget) == 1:
            # Otherwise it wakes for an earlier one anyway.
            self._wake_up.set()

    def _is_over(self, until: float, user_id: str) -> bool:
        """Return whether a grace period has passed, or its user has reconnected."""
        lost = self._lost.get(user_id)
        return lost is None or lost[0] != until or until <= self._now()

    def _forget(self, until: float, user_id: str) -> None:
        lost = self._lost.get(user_id)
        # The user may have reconnected, and disconnected again.
        if lost is not None and lost[0] == until:
            before = self._before(user_id)
            del self._lost[user_id], self._sessions[user_id]
            self._tell(user_id, before)

    def _attendance(self, user_id: str) -> Attendance:
        if (lost := self._lost.get(user_id)) is not None:
            return Attendance.LOST_AWAY if lost[1] == "away" else Attendance.LOST_ONLINE
        sessions = self._sessions.get(user_id)
        if not sessions:
            return Attendance.NONE
        return Attendance.AWAY if all(sessions.values()) else Attendance.ONLINE

    def _before(self, user_id: str) -> tuple[Status, Attendance]:
        attendance = self._attendance(user_id)
        return self._status(user_id, attendance), attendance

    def _tell(self, user_id: str, before: tuple[Status, Attendance]) -> None:
        self._tell_change(user_id, before, self._before(user_id))

    def _tell_change(
        self, user_id: str, before: tuple[Status, Attendance], now: tuple[Status, Attendance]
    ) -> None:
        status, attendance = now
        if self.publish is not None and attendance is not before[1]:
            self.publish(user_id, attendance)
        if self._changed is not None and status != before[0]:
            self._changed(user_id, status)
