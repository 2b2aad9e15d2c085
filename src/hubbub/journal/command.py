"""A command: a pure decision, its key, and what its caller gets."""

from __future__ import annotations

import hashlib
import logging
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from ..errors import HubbubError, Invalid

if TYPE_CHECKING:
    from anyio import Event as Wake

    from .decide.cache_entries import CacheEntry
    from .decide.states import States
    from .event import Draft, Event

__all__ = ["Call", "Command", "SessionQueue", "Verdict", "check_key", "nothing", "put_back"]

logger = logging.getLogger("hubbub.journal")

R = TypeVar("R")


class Verdict:
    """
    What a caller waits for beside the journal: somebody takes what the command has brought.

    It is settled once, by the code that judges; a caller who has gone away does not keep it.
    """

    __slots__ = ("_callbacks", "error", "settled")

    def __init__(self) -> None:
        self.settled = False
        # Why it was refused; None if it was taken.
        self.error: HubbubError | None = None
        self._callbacks: list[Callable[[], None]] = []

    @property
    def waiting(self) -> int:
        """How many wait for it."""
        return len(self._callbacks)

    def settle(self, error: HubbubError | None = None) -> None:
        """Tell those who wait; what comes later counts nothing."""
        if self.settled:
            return
        self.settled, self.error = True, error
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            try:
                callback()
            except Exception:  # of one caller; the judgement goes on
                logger.exception("A caller could not be told what became of a command.")

    def on_settled(self, callback: Callable[[], None]) -> None:
        """Call something when it is settled, or now if it is."""
        if self.settled:
            callback()
        else:
            self._callbacks.append(callback)


class Command(msgspec.Struct, Generic[R], gc=False, eq=False):
    """
    What to decide.

    Args:
        by: the user who commands.
        decide: pure; returns the new events' drafts or raises a HubbubError. It
            may be run several times, and runs again when it raises NotLoaded.
        result: pure; makes what the caller gets, right after the new events were
            applied. With a key that was seen before it gets the first run's events.
        reads: streams that the decision will touch; naming them saves a second run.
        key: makes the command exactly-once for this user.
        arguments: what tells a repeated command from another with the same key.
        before: what a session awaits before it queues the command, like a price that is
            looked up elsewhere; None if nothing, and only then a session's commands are
            decided in the order they came.
        verdict: what the caller waits for, once this is decided, before it gets the result.
    """

    by: str
    decide: Callable[[States], Sequence[Draft]]
    result: Callable[[States, Sequence[Event]], R]
    reads: Sequence[str] = ()
    key: str | None = None
    arguments: object = None
    before: Callable[[], Coroutine[Any, Any, None]] | None = None
    verdict: Verdict | None = None

    def fingerprint(self) -> bytes:
        """
        Digest the arguments: 16 bytes that tell one command from another.

        Raises:
            Invalid: they cannot be written down: a number of thousands of digits, half a
                surrogate pair, or something nested too deep.
        """
        try:
            encoded = msgspec.json.encode(self.arguments)
        except (ValueError, OverflowError, RecursionError, TypeError) as error:
            raise Invalid(
                "An argument of this command cannot be written down as JSON; change it."
            ) from error
        return hashlib.blake2b(encoded, digest_size=16).digest()


def nothing(states: States) -> Sequence[Draft]:
    """Decide nothing: for a command that only reads."""
    return ()


class Call(msgspec.Struct, Generic[R], eq=False):
    """
    One run of a command, from the queue to its outcome.

    Args:
        command: what to decide.
        queue: calls of one queue (a session) are decided in the order they came.
        on_done: called in the event loop when the outcome is there; it must not raise.
    """

    # Left to the garbage collector: an error's traceback leads back to its call.
    command: Command[R]
    queue: SessionQueue | None = None
    on_done: Callable[[Call[R]], None] | None = None
    done: bool = False
    # True from when it is decided: from then on it cannot be withdrawn.
    taken: bool = False
    error: Exception | None = None
    value: R | None = None
    pins: list[CacheEntry] = []
    # Where it stands in its queue.
    place: int = 0
    # True if somebody waits, and then what to wait on next, until it is done: those
    # who are decided together wake together, on one event.
    waits: bool = False
    wake: Wake | None = None
    # How often it was decided again because another writer was first.
    races: int = 0

    def wait_on(self, wake: Wake) -> None:
        """Let the one who waits wait on another event."""
        before, self.wake = self.wake, wake
        if before is not None:
            before.set()

    def outcome(self) -> R:
        """Return the result, or raise the error."""
        assert self.done
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]


class SessionQueue:
    """
    Keeps the calls of one session in order, though some of them wait to be loaded.

    Each gets a place when it comes. Its turn comes when all those before it were
    decided or withdrawn.
    """

    __slots__ = ("_gone", "_places", "turn")

    def __init__(self) -> None:
        self.turn = 0
        self._places = 0
        # Withdrawn before their turn.
        self._gone: set[int] = set()

    def enter(self) -> int:
        """Return the place of one more call."""
        self._places += 1
        return self._places - 1

    def leave(self, place: int) -> None:
        """Note that a call was decided or withdrawn."""
        if place != self.turn:
            self._gone.add(place)
            return
        self.turn += 1
        while self.turn in self._gone:
            self._gone.remove(self.turn)
            self.turn += 1

    def rewind(self, places: Sequence[int]) -> None:
        """Give calls that were decided their turns once more."""
        first = min(places)
        self._gone.update(range(first, self.turn))
        self._gone.difference_update(places)
        self.turn = first


def put_back(calls: Iterable[Call[Any]]) -> None:
    """Let calls that were decided be decided once more, each in its old place in its queue."""
    places: defaultdict[SessionQueue, list[int]] = defaultdict(list)
    for call in calls:
        call.races += 1
        call.taken, call.error = False, None
        if call.queue is not None:
            places[call.queue].append(call.place)
    for queue, turns in places.items():
        queue.rewind(turns)


def check_key(key: object, chars_max: int) -> None:
    """Raise Invalid if it cannot be an idempotency key."""
    good = isinstance(key, str) and 0 < len(key) <= chars_max
    # UTF-8 has no form for half a surrogate pair, so no store could keep it.
    if not good or not (str(key).isascii() or str(key).encode(errors="ignore").decode() == key):
        raise Invalid(f"A key has 1 to {chars_max} characters; take another.")
