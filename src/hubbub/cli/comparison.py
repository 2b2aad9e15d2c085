"""The user's answer to the numbers of a verification."""

from __future__ import annotations

import anyio

__all__ = ["Comparison"]


class Comparison:
    """An answer that a task waits for."""

    def __init__(self) -> None:
        self.given = anyio.Event()
        self.same = False

    def answer(self, *, same: bool) -> None:
        """Say whether the numbers are the same."""
        self.same = same
        self.given.set()
