"""
Work of an application's, run step by step: so that the log can name what blocks the loop.

A method that blocks stops everything in the process, and from the outside nothing tells
which of them it was. A coroutine is a row of steps from one wait to the next; a step that
takes long has blocked, however long the whole may rightly take.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Generator
from types import coroutine
from typing import Any, TypeVar

import anyio

__all__ = ["BLOCKED_SECONDS_MAX", "Watch"]

logger = logging.getLogger("hubbub.games")

R = TypeVar("R")

# How long a step of a game may block the event loop, in seconds, before the log names it: others
# wait that long, and notice.
BLOCKED_SECONDS_MAX = 0.1


class Watch:
    """
    Runs the work of one match.

    Args:
        whose: names the match and its game in the log.
        monotonic: gives the time, in seconds.
    """

    def __init__(self, whose: str, monotonic: Callable[[], float]) -> None:
        self._whose = whose
        self._monotonic = monotonic

    def call(self, what: str, work: Callable[..., R], *args: object) -> R:
        """Call a function, and tell if it blocks."""
        began = self._monotonic()
        try:
            return work(*args)
        finally:
            self._tell(what, began)

    async def run(self, what: str, work: Callable[..., Awaitable[R]], *args: object) -> R:
        """
        Await work, and tell of each of its steps that blocks.

        Raises:
            RuntimeError: it was cancelled though nobody has cancelled it, as by awaiting a
                future that was. To the tasks around it that would be a real cancellation.
        """
        awaitable = self.call(what, work, *args)
        try:
            return await self._stepwise(what, awaitable.__await__())
        except anyio.get_cancelled_exc_class() as error:
            if anyio.current_effective_deadline() == float("-inf"):
                raise
            raise RuntimeError(f"{what} was cancelled by its own doing") from error

    @coroutine
    def _stepwise(self, what: str, steps: Generator[Any, Any, R]) -> Generator[Any, Any, R]:
        step: Callable[[Any], Any] = steps.send
        value: Any = None
        while True:
            began = self._monotonic()
            try:
                asked = step(value)
            except StopIteration as done:
                result: R = done.value
                return result
            finally:
                self._tell(what, began)
            try:
                step, value = steps.send, (yield asked)
            except BaseException as thrown:  # thrown into the work, which it is for
                step, value = steps.throw, thrown

    def _tell(self, what: str, began: float) -> None:
        took = self._monotonic() - began
        if took > BLOCKED_SECONDS_MAX:
            logger.warning("%s of %s blocked the event loop for %.2f s", what, self._whose, took)
