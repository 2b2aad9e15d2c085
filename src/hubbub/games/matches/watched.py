"""
Runs an application's code step by step, so that the log can name what blocks the event loop.

A method that blocks stops the whole process, and nothing shows from the outside which method it
was. A coroutine is a series of steps from one wait to the next; a step that takes long has
blocked, however long the whole coroutine may take.
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

# How long a step of a game can block the event loop, in seconds, before the log names it.
BLOCKED_SECONDS_MAX = 0.1


class Watch:
    """
    Runs the work of one match.

    Args:
        whose: the match and its game, for the log.
        monotonic: returns the time, in seconds.
    """

    def __init__(self, whose: str, monotonic: Callable[[], float]) -> None:
        self._whose = whose
        self._monotonic = monotonic

    def call(self, what: str, work: Callable[..., R], *args: object) -> R:
        """Call a function, and log a warning if it blocks."""
        began = self._monotonic()
        try:
            return work(*args)
        finally:
            self._tell(what, began)

    async def run(self, what: str, work: Callable[..., Awaitable[R]], *args: object) -> R:
        """
        Await work, and log a warning for each of its steps that blocks.

        Raises:
            RuntimeError: it raised a cancellation that nobody requested, for example by awaiting
                a cancelled future. The tasks around it would take that for a real cancellation.
        """
        awaitable = self.call(what, work, *args)
        try:
            return await self._stepwise(what, awaitable.__await__())
        except anyio.get_cancelled_exc_class() as error:
            if anyio.current_effective_deadline() == float("-inf"):
                raise
            raise RuntimeError(f"{what} raised a cancellation that nobody requested") from error

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
            except BaseException as thrown:  # the event loop throws it into the work
                step, value = steps.throw, thrown

    def _tell(self, what: str, began: float) -> None:
        took = self._monotonic() - began
        if took > BLOCKED_SECONDS_MAX:
            logger.warning("%s of %s blocked the event loop for %.2f s", what, self._whose, took)
