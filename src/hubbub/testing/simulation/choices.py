"""The choices of a run about the order of its tasks: from a seed, or again from a list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Protocol, TypeVar

__all__ = ["Choices", "Observer"]

T = TypeVar("T")

# How slow tasks are: the chance that a task is held back in a turn. Each seed draws one of these
# lists, and each task draws from it. With zeros alone tasks only change places within a turn; a
# task falls several steps behind another only if it is held back.
PACES: tuple[tuple[float, ...], ...] = ((0.0,), (0.0, 0.5), (0.0, 0.0, 0.8), (0.0, 0.6, 0.9))


class Choices:
    """
    The choices of one run.

    A choice is a number from 0, and 0 is the order in which the tasks were made. So a run with
    zeros for most of its choices is simpler than another, and says more.

    Args:
        seed: draws the choices.
        script: the choices of an earlier run of this seed, instead of drawn ones; zeros follow
            its end.
    """

    def __init__(self, seed: int, script: Sequence[int] | None = None) -> None:
        self._random = Random(f"order {seed}")
        self._script = script
        self._paces = self._random.choice(PACES)
        self._pace_random = Random(f"pace {seed}")
        # The choices so far, if they are recorded.
        self.record: list[int] | None = None
        # The choices that were out of order, in words, if they are wanted.
        self.told: list[str] | None = None
        self._count = 0
        # A number that tells one order of steps from another.
        self.trace = 0

    def new_pace(self) -> float:
        """Draw the chance that a new task is held back in a turn."""
        if len(self._paces) == 1:
            return 0.0
        return self._pace_random.choice(self._paces)

    def arrange(
        self, ready: list[T], pace: Callable[[T], float], name: Callable[[T], str]
    ) -> tuple[list[T], list[T]]:
        """
        Draw the order of the tasks that are ready.

        Args:
            ready: them, in the order in which they were made.
            pace: returns the chance that a task is held back.
            name: names a task.

        Returns:
            The tasks that run in this turn, in order, at least one; and the tasks held back.
        """
        if len(ready) < 2:
            return ready, []
        left, order = ready[:], []
        while len(left) > 1:
            drawn = self._below(len(left))
            if drawn and self.told is not None:
                self.told.append(f"{name(left[drawn])} runs before {name(left[0])}")
            order.append(left.pop(drawn))
        order += left
        if len(self._paces) == 1:
            return order, []
        return self._hold_back(order, pace, name)

    def note(self, number: int) -> None:
        """Add a step to the trace."""
        self.trace = (self.trace * 1_000_003 + number + 1) & 0xFFFF_FFFF_FFFF_FFFF

    def _hold_back(
        self, order: list[T], pace: Callable[[T], float], name: Callable[[T], str]
    ) -> tuple[list[T], list[T]]:
        runs, held = order[:1], []
        for task in order[1:]:
            chance = pace(task)
            if chance and self._draw(int(self._random.random() < chance)):
                held.append(task)
                if self.told is not None:
                    self.told.append(f"{name(task)} is held back")
            else:
                runs.append(task)
        return runs, held

    def _below(self, number: int) -> int:
        return min(self._draw(int(self._random.random() * number)), number - 1)

    def _draw(self, drawn: int) -> int:
        if self._script is not None:
            drawn = self._script[self._count] if self._count < len(self._script) else 0
        self._count += 1
        if self.record is not None:
            self.record.append(drawn)
        return drawn


class Observer(Protocol):
    """The run that an event loop and its clock notify, and whose choices they make."""

    choices: Choices | None

    def dead(self) -> None:
        """Take note that every task waits and no timer is set."""

    def turn(self) -> None:
        """Take note that a turn of the event loop begins."""

    def after_step(self) -> None:
        """Take note that a step of a task is over."""
