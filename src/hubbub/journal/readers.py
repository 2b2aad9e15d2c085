"""Reads of the store for users: each in turn, so that no user blocks the others."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from typing import TypeVar

import anyio

from ..errors import Overloaded
from .threads import Threads

__all__ = ["READERS_MAX", "READS_PER_USER_MAX", "READS_WAITING_MAX", "Readers"]

T = TypeVar("T")

# Threads that read from the store at the same time.
READERS_MAX = 4
# Threads of these that read for one user.
READS_PER_USER_MAX = 2
# Reads of all users that wait for a thread.
READS_WAITING_MAX = 10_000


class _Turn:
    """A read that waits for its turn."""

    __slots__ = ("came", "granted")

    def __init__(self) -> None:
        self.came = anyio.Event()
        self.granted = False


class Readers:
    """
    Threads that read for many users, who take turns.

    Args:
        count: the number of threads.
        each: the number of threads that one user can have.
    """

    def __init__(self, count: int = READERS_MAX, each: int = READS_PER_USER_MAX) -> None:
        self._threads = Threads(count)
        self._free = count
        self._each = each
        self._reading: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[_Turn]] = OrderedDict()
        self._waiting_count = 0

    async def run(self, by: str, work: Callable[..., T], *args: object) -> T:
        """
        Read in a thread, in the user's turn.

        Args:
            by: the user for whom it reads; empty for the hub itself, which has no limit.
            work: called with ``args``.

        Raises:
            Overloaded: too many reads wait.
        """
        if self._waiting or not self._may(by):
            await self._wait(by)
        else:
            self._take(by)
        try:
            return await self._threads.run(work, *args)
        finally:
            self._leave(by)

    async def _wait(self, by: str) -> None:
        if self._waiting_count >= READS_WAITING_MAX:
            raise Overloaded("Too many reads are waiting; try again in a few seconds.")
        turn = _Turn()
        self._waiting.setdefault(by, deque()).append(turn)
        self._waiting_count += 1
        self._grant()
        try:
            await turn.came.wait()
        except BaseException:
            self._give_up(by, turn)
            raise

    def _give_up(self, by: str, turn: _Turn) -> None:
        if turn.granted:
            self._leave(by)
            return
        self._waiting[by].remove(turn)
        self._waiting_count -= 1
        if not self._waiting[by]:
            del self._waiting[by]

    def _may(self, by: str) -> bool:
        return self._free > 0 and (not by or self._reading[by] < self._each)

    def _take(self, by: str) -> None:
        self._free -= 1
        self._reading[by] += 1

    def _leave(self, by: str) -> None:
        self._free += 1
        self._reading[by] -= 1
        if not self._reading[by]:
            del self._reading[by]
        self._grant()

    def _grant(self) -> None:
        while self._free and (by := self._next()) is not None:
            turns = self._waiting[by]
            turn = turns.popleft()
            self._waiting_count -= 1
            if turns:
                # The other users come first now.
                self._waiting.move_to_end(by)
            else:
                del self._waiting[by]
            self._take(by)
            turn.granted = True
            turn.came.set()

    def _next(self) -> str | None:
        # It skips only users who have threads already, so this is short.
        return next((by for by in self._waiting if self._may(by)), None)
