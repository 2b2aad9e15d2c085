"""Who commands: what every service of one session shares."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from ..ids import Ids
from ..settings import Settings
from .command import Command, Lane
from .journal import Journal

__all__ = ["Caller"]

R = TypeVar("R")


class Caller:
    """
    One session's way to the journal.

    Args:
        journal: where commands go.
        settings: the limits.
        ids: where new ids come from.
        user: whose session it is.
        role: ``user``, ``moderator`` or ``admin``, in every room.
    """

    __slots__ = ("ids", "journal", "lane", "role", "settings", "user")

    def __init__(
        self, journal: Journal, settings: Settings, ids: Ids, user: str, role: str
    ) -> None:
        self.journal = journal
        self.settings = settings
        self.ids = ids
        self.user = user
        self.role = role
        self.lane = Lane()

    def execute(self, command: Command[R]) -> Coroutine[Any, Any, R]:
        """Decide a command; see :meth:`hubbub.journal.Journal.execute`."""
        return self.journal.execute(command, self.lane)
