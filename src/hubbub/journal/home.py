"""The event loop of a hub: used from another one, a hub would wait without end."""

from __future__ import annotations

import sys

from anyio.lowlevel import current_token

from ..errors import Conflict

__all__ = ["Home", "WrongLoop"]


class WrongLoop(Conflict, RuntimeError):
    """The hub was opened in another event loop, or in another thread."""

    reason = "wrong_loop"

    def __init__(self, message: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(
            message or _message("hub"),
            retry_after=retry_after,
        )


def _message(what: str) -> str:
    return (
        f"This {what} was opened in another event loop and works only there. Open and use it in "
        "one loop; with pytest-asyncio, give the fixture and the test one loop_scope."
    )


class Home:
    """
    Remembers the event loop that it was made in.

    Args:
        what: what was opened in it, for the error's message.
    """

    __slots__ = ("_hooks", "_token", "_what")

    def __init__(self, what: str = "hub") -> None:
        self._token = current_token().native_token
        # asyncio and trio install hooks of their own for each loop. Comparing them takes a tenth
        # of the time of asking for the loop, so even every command can do it.
        hooks = sys.get_asyncgen_hooks()
        self._hooks = None if hooks.firstiter is None else hooks
        self._what = what

    def check(self) -> None:
        """
        Return if the caller is in this loop.

        Raises:
            WrongLoop: the caller is in another loop.
        """
        if sys.get_asyncgen_hooks() == self._hooks:
            return
        if current_token().native_token is not self._token:
            raise WrongLoop(_message(self._what))
