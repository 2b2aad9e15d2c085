"""Who commands: what every service of one session shares."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from ..ids import Ids
from ..permissions import Refusals, refused
from ..settings import Settings
from .command import Command, SessionQueue
from .journal import Journal

__all__ = ["Actor"]

R = TypeVar("R")

# Nearly all callers are users.
_REFUSED_TO_USERS = refused("user", {})


class Actor:
    """
    One session's way to the journal.

    Args:
        journal: where commands go.
        settings: the limits.
        ids: where new ids come from.
        user: whose session it is.
        role: ``user``, ``moderator`` or ``admin``, of everything.
        session: names the sign-in that it comes from; None in the process.
        address: where it comes from; nothing in the process.
        remote: True if it comes over a network, whatever its address.
    """

    __slots__ = (
        "address",
        "ids",
        "journal",
        "queue",
        "remote",
        "role",
        "session",
        "settings",
        "user",
    )

    def __init__(  # noqa: PLR0913
        self,
        journal: Journal,
        settings: Settings,
        ids: Ids,
        user: str,
        role: str,
        session: str | None = None,
        address: str = "",
        *,
        remote: bool = False,
    ) -> None:
        self.journal = journal
        self.settings = settings
        self.ids = ids
        self.user = user
        self.role = role
        self.session = session
        self.address = address
        self.remote = remote
        self.queue = SessionQueue()

    @property
    def refused(self) -> Refusals:
        """Which commands the role rules out."""
        if self.role == "user" and not self.settings.required_roles:
            return _REFUSED_TO_USERS
        return refused(self.role, self.settings.required_roles)

    @property
    def is_limited(self) -> bool:
        """
        True for a user who comes over a network, for whom the application does not answer.

        In the process the application answers for what it does, and so do those to whom it
        has given the role of a moderator or an admin.
        """
        # Not by the address: there is none when a proxy connects to a Unix socket.
        return self.remote and self.role == "user"

    def execute(self, command: Command[R]) -> Coroutine[Any, Any, R]:
        """Decide a command; see :meth:`hubbub.journal.Journal.execute`."""
        return self.journal.execute(command, self.queue)

    def query(self, work: Callable[..., R], *args: object) -> Coroutine[Any, Any, R]:
        """Run what reads the store, in this user's turn; see :meth:`Journal.query`."""
        return self.journal.query(work, *args, by=self.user)
