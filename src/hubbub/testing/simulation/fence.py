"""
A crash as a fence: from one instant a host's tasks can reach nothing outside of them.

Each life of a host has a fence of its own, in a context variable: tasks and worker threads that the
host starts inherit it. So the kit can tell a task that is still dying
from the tasks of the restarted host, whatever it calls.
"""

from __future__ import annotations

from contextvars import ContextVar

__all__ = ["Fence", "check_fence", "current_fence"]


class Fence:
    """
    Divides one life of a host from what comes after its crash.

    Args:
        host: the host's name, for messages.
        life: which of its lives, from 1.
    """

    __slots__ = ("host", "is_down", "life", "still_until")

    def __init__(self, host: str, life: int) -> None:
        self.host = host
        self.life = life
        # Whether its tasks are cut off, because they crashed.
        self.is_down = False
        # Until then its worker threads stand still, in the event loop's time.
        self.still_until = 0.0

    def __repr__(self) -> str:
        return f"<life {self.life} of {self.host}{', crashed' if self.is_down else ''}>"


current_fence: ContextVar[Fence | None] = ContextVar("current_fence", default=None)


def check_fence() -> None:
    """
    Return if the calling task may reach the world outside of its host.

    Raises:
        ConnectionAbortedError: the host that the task belongs to has crashed.
    """
    fence = current_fence.get()
    if fence is not None and fence.is_down:
        raise ConnectionAbortedError(f"{fence.host} has crashed; this task is of its life before.")
