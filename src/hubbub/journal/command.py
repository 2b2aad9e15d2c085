"""A command: a pure decision, its key, and what its caller gets."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

if TYPE_CHECKING:
    from anyio import Event as Wake

    from .event import Draft, Event
    from .states import Cell, Name, States

__all__ = ["Call", "Command", "NotLoaded", "nothing"]

R = TypeVar("R")


class NotLoaded(Exception):
    """A decision touched what is not in memory; load it and decide again."""

    def __init__(self, name: Name) -> None:
        super().__init__(name)
        self.name = name


class Command(Generic[R]):
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
    """

    __slots__ = ("arguments", "by", "decide", "key", "reads", "result")

    def __init__(  # noqa: PLR0913
        self,
        by: str,
        decide: Callable[[States], Sequence[Draft]],
        result: Callable[[States, Sequence[Event]], R],
        *,
        reads: Sequence[str] = (),
        key: str | None = None,
        arguments: object = None,
    ) -> None:
        self.by = by
        self.decide = decide
        self.result = result
        self.reads = reads
        self.key = key
        self.arguments = arguments

    def fingerprint(self) -> bytes:
        """Digest the arguments: 16 bytes that tell one command from another."""
        return hashlib.blake2b(msgspec.json.encode(self.arguments), digest_size=16).digest()


def nothing(states: States) -> Sequence[Draft]:
    """Decide nothing: for a command that only reads."""
    return ()


class Call(Generic[R]):
    """
    One run of a command, from the queue to its outcome.

    Args:
        command: what to decide.
        lane: calls of one lane (a session) are decided in the order they came.
        on_done: called in the event loop when the outcome is there; it must not raise.
    """

    __slots__ = ("command", "done", "error", "lane", "on_done", "pins", "taken", "value", "wake")

    def __init__(
        self,
        command: Command[R],
        lane: Lane | None = None,
        on_done: Callable[[Call[R]], None] | None = None,
    ) -> None:
        self.command = command
        self.lane = lane
        self.on_done = on_done
        self.done = False
        self.taken = False
        self.error: Exception | None = None
        self.value: R | None = None
        self.pins: list[Cell] = []
        # Set when done; only a caller that waits makes one.
        self.wake: Wake | None = None

    def outcome(self) -> R:
        """Return the result, or raise the error."""
        assert self.done
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]


class Lane:
    """Keeps the calls of one session in order while some of them wait to be loaded."""

    __slots__ = ("loading",)

    def __init__(self) -> None:
        self.loading = 0
