"""The actor: the user whose session it is, and what every service of that session shares."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from copy import copy
from typing import Any, Self, TypeVar

import anyio
import msgspec

from ..ids import Ids
from ..permissions import Permissions, Refusals
from ..settings import Settings
from .command import Command, SessionQueue, Verdict
from .decide.states import States
from .event import Draft, Signal
from .journal import Journal

__all__ = ["Actor", "checked"]

R = TypeVar("R")

# Rules out nothing.
_NO_PERMISSIONS = Permissions({}, {})


class Actor:
    """
    One session's way to the journal.

    Args:
        journal: where commands go.
        settings: the limits.
        ids: where new ids come from.
        user: the user whose session it is.
        role: ``user``, ``moderator`` or ``admin``, of everything.
        session: names the sign-in that it comes from; None in the process.
        address: where it comes from; nothing in the process.
        remote: True if it comes over a network, whatever its address.
        permissions: which methods a role rules out.
    """

    __slots__ = (
        "address",
        "ids",
        "journal",
        "permissions",
        "queue",
        "remote",
        "role",
        "rule",
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
        permissions: Permissions = _NO_PERMISSIONS,
    ) -> None:
        self.journal = journal
        self.settings = settings
        self.ids = ids
        self.user = user
        self.role = role
        self.permissions = permissions
        self.rule: Callable[[States], None] | None = None
        self.session = session
        self.address = address
        self.remote = remote
        self.queue = SessionQueue()

    @property
    def refused(self) -> Refusals:
        """A service -> its methods that the role rules out, and what the user is told."""
        return self.permissions.refused(self.role)

    @property
    def is_limited(self) -> bool:
        """
        True for a user who comes over a network, for whom the application does not answer.

        In the process the application answers for what it does, and so do those to whom it
        has given the role of a moderator or an admin.
        """
        # Not by the address: there is none when a proxy connects to a Unix socket.
        return self.remote and self.role == "user"

    @property
    def is_application(self) -> bool:
        """True for a session that the application has opened for itself, as an admin."""
        return not self.remote and self.role == "admin"

    def execute(self, command: Command[R]) -> Coroutine[Any, Any, R]:
        """Decide a command; see :meth:`hubbub.journal.Journal.execute`."""
        if self.rule is not None:
            command = checked(command, self.rule)
        if command.before is not None:
            return self._execute_after(command.before, command)
        return self._execute(command)

    def _execute(self, command: Command[R]) -> Coroutine[Any, Any, R]:
        if command.verdict is not None:
            return self._execute_and_wait(command, command.verdict)
        return self.journal.execute(command, self.queue)

    async def _execute_after(
        self, before: Callable[[], Coroutine[Any, Any, None]], command: Command[R]
    ) -> R:
        await before()
        return await self._execute(command)

    async def _execute_and_wait(self, command: Command[R], verdict: Verdict) -> R:
        result = await self.journal.execute(command, self.queue)
        settled = anyio.Event()
        verdict.on_settled(settled.set)
        await settled.wait()
        if verdict.error is not None:
            raise verdict.error
        return result

    def ruled(self, rule: Callable[[States], None]) -> Self:
        """Return the same actor, with a rule that may refuse each of its commands."""
        actor = copy(self)
        actor.rule = rule
        return actor

    def new_id(self) -> str:
        """Make a new id."""
        return self.ids.new()

    def signal(self, stream: str, kind: str, body: Mapping[str, object] | None = None) -> None:
        """
        Tell those who follow a stream something that is not kept; see :meth:`Session.signals`.

        Args:
            stream: a stream's name; whether the user may speak there is for you to check.
            kind: what it is, like ``typing``.
            body: what else there is to say, as JSON can hold it.
        """
        self.journal.signal(Signal(stream, self.user, kind, None if body is None else dict(body)))

    def query(self, work: Callable[..., R], *args: object) -> Coroutine[Any, Any, R]:
        """Run what reads the store, in this user's turn; see :meth:`Journal.query`."""
        return self.journal.query(work, *args, by=self.user)


def checked(command: Command[R], rule: Callable[[States], None]) -> Command[R]:
    """Return a command that a rule may refuse, first of all; inside its decision."""

    def decide(states: States) -> Sequence[Draft]:
        rule(states)
        return command.decide(states)

    return msgspec.structs.replace(command, decide=decide)
