"""The mistakes of a feature, found when a hub is opened with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

import hubbub
from hubbub.domain import (
    Command,
    Data,
    Draft,
    Event,
    Feature,
    Service,
    State,
    States,
    command,
    nothing,
)
from hubbub.errors import Invalid
from hubbub.feature_checks import FEATURES_CHECKED_MAX, check_feature
from hubbub.features import FEATURES
from tests.helpdesk import Opened, Solved, Ticket


class SolvedToo(Data, frozen=True, tag="solved"):
    """Another event with the same tag."""


class Timed(Data, frozen=True, tag="timed"):
    """Has a field of every event's."""

    at: str


class Plain(msgspec.Struct):
    """No event."""


class Desk(Service):
    """Nothing is wrong with it."""

    name = "desk"

    @command
    def open(self, subject: str) -> Command[None]:
        """Open a ticket."""
        stream = self.new_stream("ticket")

        def decide(states: States) -> Sequence[Draft]:
            return [Draft(stream, Opened(subject))]

        return Command(self.actor.user, decide, lambda states, events: None, reads=[stream])


def made(**more: Any) -> Feature:
    given: dict[str, Any] = {"name": "desk", "service": Desk, "streams": {"ticket": Ticket}}
    return Feature(**{**given, **more})


def state(**members: Any) -> type[State]:
    """Make a state like Ticket, with some members replaced."""
    return type("Odd", (Ticket,), {"__annotations__": {}, **members})


def service(**members: Any) -> type[Service]:
    return type("Odd", (Desk,), members)


class Loose(State):
    """Keeps a value that does not survive JSON."""

    data_type = Opened

    subjects: dict[str, object] = {}

    def apply(self, event: Event) -> None:
        self.subjects["at"] = {1, 2}
        self.subjects["all"] = event


class Numbers(State):
    """Says that it keeps numbers, and keeps texts."""

    data_type = Opened

    subjects: list[int] = []

    def apply(self, event: Event) -> None:
        self.subjects.append(event.data.subject)  # type: ignore[attr-defined]


def forgets_solved(self: Ticket, event: Event) -> None:
    match event.data:
        case Opened(subject):
            self.subject = subject


def raises_for_solved(self: Ticket, event: Event) -> None:
    match event.data:
        case Opened(subject):
            self.subject = subject
        case unknown:
            raise AssertionError(unknown)


def unmarked(self: Service) -> None:
    """Neither."""


async def untyped(self: Service, subject) -> None:  # type: ignore[no-untyped-def]
    """Has an argument without a type."""


MISTAKES = {
    "Feature 'desk' requires the role 'boss'": made(roles={"desk.open": "boss"}),
    "A feature cannot have the name 'Desk'": made(name="Desk"),
    "A feature cannot have the name 'user'": made(name="user"),
    "Desk has the name 'desk'; give it the name of its feature, 'help'": made(name="help"),
    "streams of the kind 'ti/cket'": made(streams={"ti/cket": Ticket}),
    "Odd.unmarked is neither a command nor a query": made(service=service(unmarked=unmarked)),
    "A method of Odd cannot be called over a network": made(
        service=service(late=hubbub.domain.slow_command(untyped))
    ),
    "must fold into a subclass of hubbub.domain.State": made(streams={"ticket": Plain}),
    "Odd does not declare its event types": made(streams={"ticket": type("Odd", (State,), {})}),
    "has <class .*Plain.*>, which is not a subclass of hubbub.domain.Data": made(
        streams={"ticket": state(data_type=Opened | Plain)}
    ),
    "Timed has a field 'at'": made(streams={"ticket": state(data_type=Timed)}),
    "Solved and SolvedToo have the same tag, 'solved'": made(
        streams={"ticket": state(data_type=Opened | Solved | SolvedToo)}
    ),
    "Odd.apply has no case for Solved": made(
        streams={"ticket": state(data_type=Opened | Solved, apply=raises_for_solved)}
    ),
    "Loose does not survive a snapshot": made(streams={"ticket": Loose}),
    "Numbers does not survive a snapshot": made(streams={"ticket": Numbers}),
}


@pytest.mark.parametrize("message", MISTAKES)
def test_a_mistake_is_told_when_the_hub_is_opened(message: str) -> None:
    with pytest.raises(Invalid, match=message):
        hubbub.open("memory://", features=[*hubbub.FEATURES, MISTAKES[message]])


def test_a_case_that_is_missing_is_told_though_nothing_is_raised() -> None:
    class Forgetful(State):
        data_type = Opened | Solved
        subject: str = ""
        apply = forgets_solved

    with pytest.raises(Invalid, match=r"Forgetful.apply has no case for Solved"):
        check_feature(made(streams={"ticket": Forgetful}))


def test_an_event_that_changes_nothing_has_a_case_if_it_is_named() -> None:
    class Calm(State):
        data_type = Opened | Solved
        subject: str = ""

        def apply(self, event: Event) -> None:
            match event.data:
                case Opened(subject):
                    self.subject = subject
                case Solved():
                    pass

    check_feature(made(streams={"ticket": Calm}))


def test_an_event_that_needs_another_before_it_is_no_mistake() -> None:
    class Strict(Ticket):
        data_type = Opened | Solved

        def apply(self, event: Event) -> None:
            match event.data:
                case Opened(subject):
                    self.subject = subject
                case Solved():
                    raise KeyError("it was never opened")

    check_feature(made(streams={"ticket": Strict}))


@pytest.mark.parametrize("feature", [*FEATURES, made()], ids=lambda feature: feature.name)
def test_what_has_no_mistake_is_taken(feature: Feature) -> None:
    check_feature(feature)


def test_what_was_checked_is_remembered_and_not_for_ever() -> None:
    assert check_feature.cache_info().maxsize == FEATURES_CHECKED_MAX


def test_a_command_that_decides_nothing_is_a_method_as_well() -> None:
    def look(self: Service) -> Command[int]:
        """Look."""
        return Command(self.actor.user, nothing, lambda states, events: 1)

    look.__annotations__["return"] = Command[int]
    check_feature(made(service=service(look=hubbub.domain.query(look))))
