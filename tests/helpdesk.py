"""A help desk: an application's feature, with what a feature may declare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import msgspec

from hubbub.domain import (
    Actor,
    Command,
    Data,
    Draft,
    Event,
    Feature,
    Grant,
    Linked,
    Quota,
    RateLimit,
    Service,
    Signal,
    State,
    States,
    command,
    nothing,
    query,
    rate_limit,
    slow_command,
)
from hubbub.errors import NotFound
from hubbub.settings import Settings

__all__ = ["ANSWERS_MAX", "TICKETS", "Answered", "Opened", "Shown", "Solved", "Ticket", "Tickets"]

ANSWERS_MAX = 2


class Opened(Data, frozen=True, tag="opened"):
    """Somebody needs help."""

    subject: str


class Answered(Data, frozen=True, tag="answered"):
    """Somebody helps."""

    text: str


class Solved(Data, frozen=True, tag="solved"):
    """No more help is needed."""


class Ticket(State):
    """The fold of a ``ticket/ID`` stream."""

    data_type = Opened | Answered | Solved

    subject: str = ""
    answers: int = 0
    solved: bool = False

    def apply(self, event: Event) -> None:
        """Take one event in."""
        match event.data:
            case Opened(subject):
                self.subject = subject
            case Answered():
                self.answers += 1
            case Solved():
                self.solved = True

    def check_reader(self, stream: str, user: str) -> None:
        """Everybody may read what there is."""
        if not self.subject:
            raise NotFound("There is no such ticket.")


class Shown(msgspec.Struct, frozen=True):
    """A ticket as it is shown."""

    stream: str
    subject: str
    answers: int
    solved: bool


class Tickets(Service):
    """Opens, answers and solves tickets."""

    name = "tickets"

    @command
    def open(self, subject: str, *, key: str | None = None) -> Command[Shown]:
        """Open a ticket."""
        by, stream = self.actor.user, self.new_stream("ticket")
        mine = f"user/{by}"

        def decide(states: States) -> list[Draft]:
            return [Draft(stream, Opened(subject)), Draft(mine, Linked(stream))]

        def result(states: States, events: Sequence[Event]) -> Shown:
            return shown(states, events[0].stream)

        arguments = ("tickets.open", subject)
        return Command(by, decide, result, [stream, mine], key=key, arguments=arguments)

    @command
    def answer(self, stream: str, text: str) -> Command[Shown]:
        """Answer a ticket."""
        by = self.actor.user

        def decide(states: States) -> list[Draft]:
            states.of(Ticket, stream).check_reader(stream, by)
            states.charge("answers", by)
            return [Draft(stream, Answered(text))]

        return Command(by, decide, lambda states, events: shown(states, stream), [stream])

    @command
    def solve(self, stream: str) -> Command[Shown]:
        """Solve a ticket."""
        by = self.actor.user

        def decide(states: States) -> list[Draft]:
            states.of(Ticket, stream).check_reader(stream, by)
            return [Draft(stream, Solved())]

        return Command(by, decide, lambda states, events: shown(states, stream), [stream])

    @command
    def charge(self, what: str) -> Command[None]:
        """Charge a limit of any name."""
        by = self.actor.user

        def decide(states: States) -> list[Draft]:
            states.charge(what, by)
            return []

        return Command(by, decide, lambda states, events: None)

    @query
    def get(self, stream: str) -> Command[Shown]:
        """Show a ticket."""

        def result(states: States, events: Sequence[Event]) -> Shown:
            states.of(Ticket, stream).check_reader(stream, self.actor.user)
            return shown(states, stream)

        return Command(self.actor.user, nothing, result, [stream])

    @slow_command
    async def look_into(self, stream: str) -> None:
        """Signal to the followers of a ticket that an agent looks into it."""
        # The method's own type has no journal: most services need none.
        actor = cast(Actor, self.actor)
        actor.journal.signal(Signal(stream, actor.user, "looking", {"for": "a moment"}))


def shown(states: States, stream: str) -> Shown:
    """Show a ticket."""
    ticket = states.of(Ticket, stream)
    return Shown(stream, ticket.subject, ticket.answers, ticket.solved)


def answers(settings: Settings) -> RateLimit:
    """Make the limit of answers of one user."""
    return rate_limit("sliding_window", ANSWERS_MAX, 60.0, "answers")


def name_of(state: State) -> str | None:
    """Return what operators see of a ticket: nothing of a solved ticket."""
    return state.subject if isinstance(state, Ticket) and not state.solved else None


TICKETS = Feature(
    name="tickets",
    service=Tickets,
    streams={"ticket": Ticket},
    roles={"tickets.solve": "moderator"},
    readers={"ticket": Grant(("anyone",), "There is no such ticket.")},
    quotas={"tickets.open": Quota("tickets", "rooms_per_user")},
    limits={"answers": answers},
    traffic={"ticket": name_of},
)
