"""A feature of an application's own in a simulated system, with a workload of its own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from hubbub.errors import HubbubError, NotAllowed
from hubbub.features import FEATURES
from hubbub.session import Session
from hubbub.simulator import Broken, Client, Evidence, PlannedFault, RunOptions, run_seed
from tests.event_loop import Backend
from tests.helpdesk import TICKETS, Tickets


class AskingForHelp:
    """Users who open tickets, and solve the tickets of others."""

    name = "tickets"

    def __init__(self) -> None:
        self.tried: set[str] = set()
        # The subject -> the ticket, once it was acknowledged.
        self.opened: dict[str, str] = {}
        self.solved: set[str] = set()

    async def prepare(self, admin: Session) -> None:
        """Everybody can open a ticket."""

    async def begin(self, client: Client) -> None:
        """Everybody can open a ticket."""

    async def follow(self, client: Client) -> None:
        """Watch nothing."""

    async def act(self, client: Client) -> None:
        """Open a ticket, or solve one."""
        tickets = client.session.service(Tickets)
        if self.opened and client.random.random() < 0.3:
            stream = client.random.choice(list(self.opened.values()))
            try:
                if await client.attempt("solve", partial(tickets.solve, stream)) is not None:
                    self.solved.add(stream)
            except NotAllowed:
                # Only a moderator can solve a ticket, and an admin: the first client is one.
                assert client.number > 0
            return
        key = client.new_key()
        self.tried.add(key)
        # The subject is like no other, so it says which call has opened the ticket.
        ticket = await client.attempt("open", partial(tickets.open, key, key=key))
        if ticket is not None:
            self.opened[key] = ticket.stream

    def missing(self, evidence: Evidence) -> Iterator[str]:
        """Nothing comes later."""
        yield from ()

    def broken(self, evidence: Evidence) -> Iterator[str]:
        """A ticket that was acknowledged is there, once."""
        there: dict[str, str] = {}
        for event in evidence.order:
            if event["type"] == "opened":
                subject = event["subject"]
                if subject in there or subject not in self.tried:
                    yield f"The ticket {subject} is there twice, or nobody has opened it."
                there[subject] = event["stream"]
        for subject, stream in self.opened.items():
            if there.get(subject) != stream:
                yield f"The ticket {subject} was acknowledged as {stream}, and is lost."
        for stream in self.solved:
            if not any(one["type"] == "solved" for one in evidence.streams.get(stream, ())):
                yield f"{stream} was solved, and is not."


def options(backend: Backend, workload: type[AskingForHelp] = AskingForHelp) -> RunOptions:
    return RunOptions(
        backend=backend,
        hours=0.1,
        nodes=1,
        fault_seconds=40.0,
        action_seconds=10.0,
        features=[*FEATURES, TICKETS],
        workloads=[workload],
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_promise_of_the_application_is_broken(seed: int, backend: Backend) -> None:
    assert run_seed(seed, options(backend)).events > 50


def test_a_promise_that_does_not_hold_is_named(backend: Backend) -> None:
    class Hopeful(AskingForHelp):
        """Users who believe that a ticket is opened though nobody has answered."""

        async def act(self, client: Client) -> None:
            tickets, key = client.session.service(Tickets), client.new_key()
            self.tried.add(key)
            self.opened[key] = "ticket/unknown"
            try:
                self.opened[key] = (await tickets.open(key, key=key)).stream
            except HubbubError:
                return

    plan = [PlannedFault(60.0, "crash silently", 20.0, 0), PlannedFault(90.0, "full disk", 60.0, 0)]
    with pytest.raises((Broken, ExceptionGroup)) as caught:
        run_seed(4, options(backend, Hopeful), plan)

    assert any("is lost" in str(one) for one in _leaves(caught.value))


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _leaves(one)
    else:
        yield error
