"""
Names in the log what blocks the event loop, while it is still blocked.

A function that blocks stops the whole server, and from the outside nothing shows which function it
is. So a thread waits for a beat of the event loop. If none comes it looks where the thread of the
loop stands. It cannot look while a function in C holds the interpreter's lock.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["FRAMES_MAX", "LoopWatch"]

logger = logging.getLogger("hubbub.server")

# How many frames of the stack the log shows, from the innermost.
FRAMES_MAX = 8
# The thread looks so often, in seconds.
LOOK_SECONDS = 0.25


class LoopWatch:
    """
    Watches the event loop of one thread.

    Args:
        beat_seconds: the loop beats so often.
        blocked_seconds: how late a beat has to be before the log names what blocks the loop.
        monotonic: returns the time, in seconds; in any thread.
    """

    def __init__(
        self, beat_seconds: float, blocked_seconds: float, monotonic: Callable[[], float]
    ) -> None:
        self._late = beat_seconds + blocked_seconds
        self._monotonic = monotonic
        self._beat_at = self._monotonic()
        self._told = False
        self._stop = threading.Event()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch the loop of this thread."""
        loop = threading.get_ident()
        self.beat()
        thread = threading.Thread(
            target=self._watch, args=(loop,), name="hubbub-loop-watch", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            self._stop.set()

    def beat(self) -> None:
        """Show that the loop runs."""
        self._beat_at = self._monotonic()
        self._told = False

    def _watch(self, loop: int) -> None:
        while not self._stop.wait(min(LOOK_SECONDS, self._late)):
            try:
                self._look(loop)
            except Exception:
                # Without the thread nothing else fails.
                logger.exception("The event loop cannot be watched.")
                return

    def _look(self, loop: int) -> None:
        blocked = self._monotonic() - self._beat_at
        if self._told or blocked < self._late:
            return
        # Once for each time that it is blocked.
        self._told = True
        frame = sys._current_frames().get(loop)  # noqa: SLF001  # documented
        stack = traceback.StackSummary.extract(traceback.walk_stack(frame), limit=FRAMES_MAX)
        stack.reverse()
        logger.warning(
            "The event loop has been blocked for %.1f s and serves nobody. It is here:\n%s",
            blocked,
            "".join(stack.format()),
        )
