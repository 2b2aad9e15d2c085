"""The smallest service there can be: numbers are added up in ``tally/NAME``, and doubted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any, ClassVar

import anyio
import msgspec

from hubbub.errors import Conflict, Invalid, NotMember
from hubbub.journal.cluster.bus import Bus
from hubbub.journal.command import Call, Command, nothing
from hubbub.journal.decide.states import States
from hubbub.journal.event import Data, Draft, Event, State, Streams
from hubbub.journal.journal import Journal
from hubbub.journal.link import Links
from hubbub.journal.live.topic import TAIL_EVENTS_MAX
from hubbub.journal.stores.contract import Record, Store
from hubbub.journal.stores.memory import MemoryStore
from hubbub.ratelimit import RateLimit, SlidingWindow
from hubbub.settings import Settings

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CHARGES_MAX = 3
# Some of them have left a topic's tail for certain.
MANY = 2 * TAIL_EVENTS_MAX + 10


class Added(Data, frozen=True, tag="added"):
    """A number was added."""

    amount: int
    text: str = ""


class Doubted(Data, frozen=True, tag="doubted"):
    """``by`` doubts the number ``ref``."""


class Barred(Data, frozen=True, tag="barred"):
    """A user can no longer read."""

    user: str


class Tally(State):
    """The fold of a ``tally/NAME`` stream."""

    data_type: ClassVar[Any] = Added | Doubted | Barred

    total: int = 0
    barred: set[str] = msgspec.field(default_factory=set)

    def apply(self, event: Event) -> None:
        match event.data:
            case Added(amount):
                self.total += amount
            case Barred(user):
                self.barred.add(user)

    def check_reader(self, stream: str, user: str) -> None:
        if user in self.barred:
            raise NotMember("You were barred.")

    @classmethod
    def revoked(cls, event: Event) -> str | None:
        return event.data.user if isinstance(event.data, Barred) else None


STREAMS = Streams({"tally": Tally, "index": Links})


class SetClock:
    """A clock that stands still until it is set, forwards or back."""

    def __init__(self, now: datetime = NOON) -> None:
        self.time = now
        self.seconds = 0.0

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.seconds


def memory_store() -> MemoryStore:
    return MemoryStore()


@asynccontextmanager
async def open_journal(
    store: Store, settings: Settings | None = None, bus: Bus | None = None
) -> AsyncIterator[Journal]:
    async with Journal(store, STREAMS, settings or Settings(), new_limit, bus) as journal:
        yield journal


async def together(journal: Journal, *commands: Command[Any]) -> list[Any]:
    """Submit all in this order; return what each returned, or its error."""
    done, left = anyio.Event(), list(commands)

    def note(call: Call[Any]) -> None:
        left.pop()
        if not left:
            done.set()

    calls = [Call(command, on_done=note) for command in commands]
    for call in calls:
        journal.submit(call)
    if left:
        await done.wait()
    return [call.value if call.error is None else call.error for call in calls]


async def publish(journal: Journal, count: int, stream: str = "tally/1") -> None:
    """Add some ones."""
    await together(journal, *[add(stream, 1)] * count)


async def take(events: AsyncIterator[Event], count: int) -> list[int]:
    """Wait for some events; return their seqs."""
    with anyio.fail_after(10):
        return [(await anext(events)).seq for _ in range(count)]


async def take_until(error: type[Exception], events: AsyncIterator[Event]) -> list[int]:
    """Take events until an error; return their seqs."""
    got: list[int] = []
    with suppress(error):
        while True:
            got += await take(events, 1)
    return got


def seqs(first: int, last: int) -> list[int]:
    return list(range(first, last + 1))


def new_limit(what: str) -> RateLimit:
    return SlidingWindow(CHARGES_MAX, 60, what)


def add(
    stream: str,
    amount: int,
    *,
    by: str = "ann",
    text: str = "",
    key: str | None = None,
    cold: bool = False,
    charged: bool = False,
) -> Command[int]:
    """Add a number, and get the seq of it. ``cold`` does not say which stream it will read."""

    def decide(states: States) -> Sequence[Draft]:
        states.of(Tally, stream)
        if amount == 0:
            raise Invalid("Nothing comes of nothing.")
        if charged:
            states.charge("numbers", by)
        return (Draft(stream, Added(amount, text)),)

    reads = () if cold else (stream,)
    arguments = ("add", stream, amount)
    return Command(by, decide, first_seq, reads=reads, key=key, arguments=arguments)


def move(source: str, target: str, amount: int, *, key: str | None = None) -> Command[int]:
    """Take from one tally what is added to another, if it is there."""

    def decide(states: States) -> Sequence[Draft]:
        if states.of(Tally, source).total < amount:
            raise Conflict("There is not so much.")
        return (Draft(source, Added(-amount)), Draft(target, Added(amount)))

    return Command("ann", decide, first_seq, key=key, arguments=("move", source, target, amount))


def doubt(stream: str, seq: int, *, by: str = "ann") -> Command[int]:
    """Doubt a number, once for each user; get how many do."""

    def decide(states: States) -> Sequence[Draft]:
        if any(event.by == by for event in states.about(stream, seq)):
            return ()
        return (Draft(stream, Doubted(), seq),)

    def result(states: States, events: Sequence[Event]) -> int:
        return len(states.about(stream, seq))

    return Command(by, decide, result)


def bar(stream: str, user: str) -> Command[int]:
    """Let a user not read any more."""
    return Command("ann", lambda states: (Draft(stream, Barred(user)),), first_seq)


def total(stream: str) -> Command[int]:
    """Read the sum."""
    return Command("ann", nothing, lambda states, events: states.of(Tally, stream).total)


def first_seq(states: States, events: Sequence[Event]) -> int:
    return events[0].seq


def numbers(bodies: Sequence[bytes]) -> list[int]:
    """Decode events to their seqs."""
    return [STREAMS.decode(body).seq for body in bodies]


def record(
    stream: str,
    seq: int,
    kind: str = "added",
    *,
    by: str = "ann",
    ref: int | None = None,
    text: str | None = None,
) -> Record:
    """Make a record as the journal does; its body is JSON, but need not be an event."""
    said = {"stream": stream, "seq": seq, "type": kind}
    body = said if text is None else said | {"text": text}
    return Record(stream, seq, kind, by, ref, msgspec.json.encode(body))
