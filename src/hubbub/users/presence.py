"""Who is connected: counted in memory, by session."""

from __future__ import annotations

from collections import Counter

from .user import Status

__all__ = ["Presence"]


class Presence:
    """The users who have a session now."""

    def __init__(self) -> None:
        self._sessions: Counter[str] = Counter()

    def connect(self, user_id: str) -> None:
        """Count one more session of a user."""
        self._sessions[user_id] += 1

    def disconnect(self, user_id: str) -> None:
        """Count one session less."""
        self._sessions[user_id] -= 1
        if not self._sessions[user_id]:
            del self._sessions[user_id]

    def status(self, user_id: str) -> Status:
        """Return ``online`` or ``offline``."""
        return "online" if self.is_online(user_id) else "offline"

    def is_online(self, user_id: str) -> bool:
        """Tell whether a user has a session now."""
        return user_id in self._sessions

    def online(self) -> list[str]:
        """Return who has a session, the first to come first."""
        return list(self._sessions)
