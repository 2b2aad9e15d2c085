"""A command: a pure decision, its idempotency key, and its result."""

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

    from .decide.cache_entries import CacheEntry, Name
    from .decide.states import States
    from .event import Draft, Event

__all__ = ["Call", "Command", "SessionQueue", "Verdict", "check_key", "nothing", "put_back"]

logger = logging.getLogger("hubbub.journal")

R = TypeVar("R")


class Verdict:
    """
    A result that a caller waits for besides the journal's, such as a game's answer to a message.

    The code that decides settles it once, even if the caller has disconnected.
    """

    __slots__ = ("_callbacks", "error", "settled")

    def __init__(self) -> None:
        self.settled = False
        # The error, if the verdict is a refusal; otherwise None.
        self.error: HubbubError | None = None
        self._callbacks: list[Callable[[], None]] = []

    @property
    def waiting(self) -> int:
        """The number of waiting callers."""
        return len(self._callbacks)

    def settle(self, error: HubbubError | None = None) -> None:
        """Notify the waiting callers; a later verdict is ignored."""
        if self.settled:
            return
        self.settled, self.error = True, error
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            try:
                callback()
            except Exception:  # affects one caller; the verdict stands
                logger.exception("a caller could not be notified of a command's result")

    def on_settled(self, callback: Callable[[], None]) -> None:
        """Call a function when the verdict is settled, or now if it is."""
        if self.settled:
            callback()
        else:
            self._callbacks.append(callback)


class Command(msgspec.Struct, Generic[R], eq=False):
    """
    A command to decide.

    Args:
        by: the user who sends it.
        decide: a pure function that returns the drafts of new events, or raises a HubbubError.
            It may run several times, and runs again after it raises NotLoaded.
        result: a pure function that makes the caller's result, right after the new events were
            applied. With a known key it gets the events of the first run. It may run several
            times, as the decision may.
        reads: streams that the decision touches; naming them saves a second run.
        key: makes the command exactly-once for this user.
        arguments: distinguish a repeated command from another one with the same key.
        before: awaited before the session queues the command, such as the look-up of a price;
            if it is None, the commands of a session are decided in the order in which they
            arrived.
        verdict: after the decision, the caller waits for this before it gets the result.
        effect: what the command does outside the journal: it runs once, in the event loop, when
            the events are durable and before the caller gets the result. An error that it raises
            becomes the caller's. Effects run in the order in which the commands were decided.
        looks: streams that the decision only reads. Where other nodes write to the store, it
            reads their newest state without holding them, so that nobody waits: what it decides
            may then follow from a state that has just passed.
        charges: the rate limits that the decision charges: (name, user); naming them saves a
            second run where other nodes charge them, too.
        creates: streams that the decision touches and that have no event yet, because their names
            have new ids: the hub reads them only from a store that other nodes write to.
    """

    # The garbage collector sees it: its functions may lead back to its call, and to the hub.
    by: str
    decide: Callable[[States], Sequence[Draft]]
    result: Callable[[States, Sequence[Event]], R]
    reads: Sequence[str] = ()
    key: str | None = None
    arguments: object = None
    before: Callable[[], Coroutine[Any, Any, None]] | None = None
    verdict: Verdict | None = None
    effect: Callable[[R], None] | None = None
    looks: Sequence[str] = ()
    charges: Sequence[tuple[str, str]] = ()
    creates: Sequence[str] = ()

    def fingerprint(self) -> bytes:
        """
        Digest the arguments: 16 bytes that distinguish commands.

        Raises:
            Invalid: they cannot be encoded as JSON: a number of thousands of digits, half a
                surrogate pair, or nested too deeply.
        """
        try:
            encoded = msgspec.json.encode(self.arguments)
        except (ValueError, OverflowError, RecursionError, TypeError) as error:
            raise Invalid(
                "An argument of this command cannot be encoded as JSON; change it."
            ) from error
        return hashlib.blake2b(encoded, digest_size=16).digest()


def nothing(states: States) -> Sequence[Draft]:
    """Decide nothing: for a command that only reads."""
    return ()


class Call(msgspec.Struct, Generic[R], eq=False):
    """
    A run of a command, from the queue to its outcome.

    Args:
        command: the command.
        queue: the calls of a queue (a session) are decided in the order in which they arrived.
        on_done: called in the event loop with the outcome; it must not raise.
    """

    # The garbage collector frees it: an error's traceback refers back to its call.
    command: Command[R]
    queue: SessionQueue | None = None
    on_done: Callable[[Call[R]], None] | None = None
    done: bool = False
    # True once it is decided: from then on it cannot be withdrawn.
    taken: bool = False
    error: Exception | None = None
    value: R | None = None
    # The entries that it keeps in memory, by name.
    pins: dict[Name, CacheEntry] = {}
    # Its place in its queue.
    place: int = 0
    # True if a caller waits, and then the event to wait on, until the call is done: callers
    # whose calls are decided together wake together, on one event.
    waits: bool = False
    wake: Wake | None = None
    # How often it was decided again because another writer was first.
    races: int = 0
    # The names that its decisions needed and the command did not give.
    needs: tuple[Name, ...] = ()

    def wait_on(self, wake: Wake) -> None:
        """Make the caller wait on another event."""
        before, self.wake = self.wake, wake
        if before is not None:
            before.set()

    def take_effect(self) -> None:
        """Run the command's effect, if it has one; an error that it raises is the call's."""
        if self.error is not None or self.command.effect is None:
            return
        try:
            self.command.effect(self.value)  # type: ignore[arg-type]
        except Exception as error:  # a refusal, or a bug in the effect: fails this call alone
            self.error = error

    def outcome(self) -> R:
        """Return the result, or raise the error."""
        assert self.done
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]


class SessionQueue:
    """
    Keeps the calls of one session in order, even if some of them wait to be loaded.

    Each call gets a place when it arrives. Its turn comes when all calls before it are decided or
    withdrawn.
    """

    __slots__ = ("_gone", "_places", "turn")

    def __init__(self) -> None:
        self.turn = 0
        self._places = 0
        # Calls that were withdrawn before their turn: most sessions have none.
        self._gone: set[int] | None = None

    def enter(self) -> int:
        """Return the place of a new call."""
        self._places += 1
        return self._places - 1

    def leave(self, place: int) -> None:
        """Record that a call was decided or withdrawn."""
        if place != self.turn:
            self._gone = self._gone or set()
            self._gone.add(place)
            return
        self.turn += 1
        while self._gone and self.turn in self._gone:
            self._gone.remove(self.turn)
            self.turn += 1

    def rewind(self, places: Sequence[int]) -> None:
        """Return decided calls to their places."""
        first = min(places)
        self._gone = (self._gone or set()).union(range(first, self.turn)).difference(places)
        self.turn = first


def put_back(calls: Iterable[Call[Any]]) -> None:
    """Queue decided calls to be decided again, each in its old place."""
    places: defaultdict[SessionQueue, list[int]] = defaultdict(list)
    for call in calls:
        call.races += 1
        call.taken, call.error = False, None
        if call.queue is not None:
            places[call.queue].append(call.place)
    for queue, turns in places.items():
        queue.rewind(turns)


def check_key(key: object, chars_max: int) -> None:
    """Raise Invalid for an invalid idempotency key."""
    good = isinstance(key, str) and 0 < len(key) <= chars_max
    # UTF-8 cannot encode half a surrogate pair, so no store could keep it.
    if not good or not (str(key).isascii() or str(key).encode(errors="ignore").decode() == key):
        raise Invalid(f"A key must have 1 to {chars_max} characters; use another one.")
