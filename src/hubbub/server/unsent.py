"""Answers that clients have not taken yet: how much of them the server keeps. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from . import http_limits as limits

__all__ = ["Unsent"]


class Unsent:
    """
    Counts the bytes of large answers that wait for the network, in all connections.

    A deadline alone would not do: in ten seconds one client can ask for more history than
    there is memory. When there is too much, the largest answer is given up.
    """

    def __init__(self) -> None:
        self.count = 0
        self._waiting: dict[object, tuple[int, Callable[[], None]]] = {}

    @contextmanager
    def held(self, count: int, give_up: Callable[[], None]) -> Iterator[None]:
        """
        Count an answer as long as it waits.

        Args:
            count: its bytes.
            give_up: ends its connection; called at once, or later, or never.
        """
        answer = object()
        self._waiting[answer] = (count, give_up)
        self.count += count
        try:
            while self.count > limits.UNSENT_BYTES_MAX and self._waiting:
                self._give_up_largest()
            yield
        finally:
            self._forget(answer)

    def _give_up_largest(self) -> None:
        # Of equal ones, which waited longest: who reads has got it by then.
        largest = max(self._waiting, key=lambda answer: self._waiting[answer][0])
        give_up = self._waiting[largest][1]
        self._forget(largest)
        give_up()

    def _forget(self, answer: object) -> None:
        count, _ = self._waiting.pop(answer, (0, None))
        self.count -= count
