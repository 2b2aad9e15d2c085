"""The help desk with one mistake each, as the reference of `hubbub.domain` lists them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import hubbub
from hubbub.domain import Command, Data, Event, Feature, Quota, State, command, nothing
from tests.helpdesk import Opened, Solved, Ticket, Tickets

__all__ = ["MISTAKES"]


class Reopened(Data, frozen=True, tag="solved"):
    """It has the tag of another."""


class Seen(Data, frozen=True, tag="seen"):
    """It has a field of the event."""

    seq: int


class Forgetful(State):
    """It has no case for a solved ticket."""

    data_type = Opened | Solved
    subject: str = ""

    def apply(self, event: Event) -> None:
        """Ignore what it does not know."""
        if isinstance(event.data, Opened):
            self.subject = event.data.subject

    def check_reader(self, stream: str, user: str) -> None:
        """Let everybody read."""


class Twice(Ticket):
    """Two of its event types have one tag."""

    data_type = Opened | Solved | Reopened


class Taken(Ticket):
    """One of its event types has a field that every event has."""

    data_type = Opened | Solved | Seen


class Unsaid(State):
    """It does not say what it is folded from."""


class Remembering(Ticket):
    """It keeps what is no field."""

    callback: Any = print


class Unmarked(Tickets):
    """A method has no mark."""

    def reopen(self, stream: str) -> None:
        """Reopen a ticket."""


class Untyped(Tickets):
    """An argument has no type."""

    @command
    def solve_all(self, which) -> Command[None]:  # type: ignore[no-untyped-def]
        """Solve some."""
        return Command(self.actor.user, nothing, lambda states, events: None)


class Desk(Tickets):
    """Its name is not its feature's."""

    name = "desk"


def tickets(**fields: Any) -> Feature:
    """Make the feature, with something else in it."""
    return Feature(**{"name": "tickets", "service": Tickets, **fields})


TICKETS = tickets(streams={"ticket": Ticket})

# What is wrong -> the features that a hub is opened with.
MISTAKES: dict[str, Sequence[Feature]] = {
    "no users": [TICKETS],
    "two of one name": [hubbub.USERS, TICKETS, tickets()],
    "a stream kind is taken": [hubbub.USERS, hubbub.CHAT, tickets(streams={"room": Ticket})],
    "a name that a session has": [hubbub.USERS, Feature(name="follow")],
    "a name of a kind": [hubbub.USERS, tickets(streams={"Ticket": Ticket})],
    "the service is called otherwise": [hubbub.USERS, tickets(service=Desk)],
    "a method without a mark": [hubbub.USERS, tickets(service=Unmarked)],
    "an argument of no type": [hubbub.USERS, tickets(service=Untyped)],
    "no such role": [hubbub.USERS, tickets(roles={"tickets.solve": "agent"})],
    "no such method": [hubbub.USERS, hubbub.CHAT, Feature(name="rules", check={"chat.say": print})],
    "no such setting": [
        hubbub.USERS,
        tickets(quotas={"tickets.solve": Quota("tickets", "tickets_per_user")}),
    ],
    "a limit is taken": [hubbub.USERS, hubbub.CHAT, tickets(limits={"messages": print})],
    "no state": [hubbub.USERS, tickets(streams={"ticket": Opened})],
    "no data type": [hubbub.USERS, tickets(streams={"ticket": Unsaid})],
    "a field of the event": [hubbub.USERS, tickets(streams={"ticket": Taken})],
    "one tag twice": [hubbub.USERS, tickets(streams={"ticket": Twice})],
    "no case": [hubbub.USERS, tickets(streams={"ticket": Forgetful})],
    "no snapshot": [hubbub.USERS, tickets(streams={"ticket": Remembering})],
}
