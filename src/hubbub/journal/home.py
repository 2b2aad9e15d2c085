"""The event loop of a hub: used from another one, a hub would wait without end."""

from __future__ import annotations

from anyio.lowlevel import current_token

from ..errors import Conflict

__all__ = ["Home", "WrongLoop"]


class WrongLoop(Conflict, RuntimeError):
    """The hub was opened in another event loop, or in another thread."""

    reason = "wrong_loop"

    def __init__(self, message: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(
            message
            or "This hub was opened in another event loop and works only there. Open and use "
            "it in one loop; with pytest-asyncio, give the fixture and the test one loop_scope.",
            retry_after=retry_after,
        )


class Home:
    """Remembers the event loop that it was made in."""

    __slots__ = ("_token",)

    def __init__(self) -> None:
        self._token = current_token().native_token

    def check(self) -> None:
        """
        Return if the caller is in this loop.

        Raises:
            WrongLoop: the caller is in another loop.
        """
        if current_token().native_token is not self._token:
            raise WrongLoop
