"""The actor: the user of a session, and everything that the session's services share."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from copy import copy
from typing import Any, Self, TypeVar

import anyio
import msgspec

from ..ids import Ids
from ..permissions import Permissions, Refusals
from ..settings import Settings
from .command import Call, Command, SessionQueue
from .decide.states import States
from .event import Draft, Signal
from .journal import Journal

__all__ = ["Actor", "checked"]

R = TypeVar("R")

# Permits every method.
_NO_PERMISSIONS = Permissions({}, {})


class Actor:
    """
    A session's access to the journal.

    Args:
        journal: executes the commands.
        settings: the limits.
        ids: makes new ids.
        user: the user of the session.
        role: the global role: ``user``, ``moderator`` or ``admin``.
        session: the id of the sign-in; None in the process.
        address: the client's address; empty in the process.
        remote: True for a session over a network, whatever its address.
        permissions: the methods that each role cannot call.
    """

    __slots__ = (
        "address",
        "admitted",
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
        # The seq of the user's stream at which the session was admitted.
        self.admitted = 0

    @property
    def refused(self) -> Refusals:
        """A service -> its methods that the role cannot call, with the message for each."""
        return self.permissions.refused(self.role)

    @property
    def is_limited(self) -> bool:
        """
        True for a user over a network, for whom the application does not vouch.

        In the process the application is responsible for what it does, and so are the users to
        whom it has given the role of a moderator or an admin.
        """
        # Not by the address, which is empty when a proxy connects to a Unix socket.
        return self.remote and self.role == "user"

    @property
    def is_application(self) -> bool:
        """True for a session that the application has opened for itself, as an admin."""
        return not self.remote and self.role == "admin"

    def execute(self, command: Command[R]) -> Coroutine[Any, Any, R]:
        """
        Decide a command; see :meth:`hubbub.journal.Journal.execute`.

        Raises:
            HubbubError: the error of the decision, or of the command's ``before``.
            StorageError: the store could not write it.
            Closed: the hub is closed or closing.
        """
        if self.rule is not None:
            command = checked(command, self.rule)
        if command.before is None and command.verdict is None:
            return self.journal.wait_for(Call(command, self.queue, waits=True))
        return self._execute_and_wait(command)

    async def _execute_and_wait(self, command: Command[R]) -> R:
        if command.before is not None:
            await command.before()
        result = await self.journal.execute(command, self.queue)
        if (verdict := command.verdict) is None:
            return result
        settled = anyio.Event()
        verdict.on_settled(settled.set)
        await settled.wait()
        if verdict.error is not None:
            raise verdict.error
        return result

    def ruled(self, rule: Callable[[States], None]) -> Self:
        """Return a copy of the actor, with a rule that can refuse each of its commands."""
        actor = copy(self)
        actor.rule = rule
        return actor

    def new_id(self) -> str:
        """Make a new id."""
        return self.ids.new()

    def signal(self, stream: str, kind: str, body: Mapping[str, object] | None = None) -> None:
        """
        Send an ephemeral signal to the followers of a stream; see :meth:`Session.signals`.

        Args:
            stream: a stream's name; you have to check whether the user can write to it.
            kind: the type of the signal, like ``typing``.
            body: further data that JSON can hold.
        """
        self.journal.signal(Signal(stream, self.user, kind, None if body is None else dict(body)))

    def query(self, work: Callable[..., R], *args: object) -> Coroutine[Any, Any, R]:
        """
        Run a function that reads the store, in this user's turn; see :meth:`Journal.query`.

        Raises:
            Overloaded: too many reads wait.
            StorageError: the store cannot be read.
            Closed: the hub is closed or closing.
        """
        return self.journal.query(work, *args, by=self.user)


def checked(command: Command[R], rule: Callable[[States], None]) -> Command[R]:
    """Return a command whose decision first calls a rule that can refuse it."""

    def decide(states: States) -> Sequence[Draft]:
        rule(states)
        return command.decide(states)

    return msgspec.structs.replace(command, decide=decide)
