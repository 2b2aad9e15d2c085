"""One user of the simulated system, and the calls that they make."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import TypeVar

import anyio

from ..client.dial import Dial
from ..errors import Closed, Overloaded, RateLimited, StorageError
from ..session import Session

__all__ = ["ADMIN_NUMBER", "CALL_SECONDS_MAX", "Client", "Stuck"]

# The client that is an admin.
ADMIN_NUMBER = 0
# How long any call may take, in seconds: no fault lasts so long.
CALL_SECONDS_MAX = 300.0
# The chance that a user does not repeat a call whose outcome is unknown.
LEAVE_IT_CHANCE = 0.3
# How long a client waits before it repeats a call, in seconds, at most.
PAUSE_SECONDS_MAX = 5.0

T = TypeVar("T")


class Stuck(AssertionError):
    """A call was not answered in time."""


class Client:
    """
    A user with one session at a time.

    Args:
        number: from 0.
        host: the client's address.
        random: draws what the user does.
        session: their session.
        dials: open further connections from the client, each to one of the servers; there are
            none without a network.
    """

    def __init__(
        self,
        number: int,
        host: str,
        random: Random,
        session: Session,
        dials: Sequence[Dial] = (),
    ) -> None:
        self.number = number
        self.host = host
        self.random = random
        self.session = session
        self.dials = dials
        self.calls = 0
        self.refused = 0
        # How long the user will be away, from when they leave.
        self.away_seconds = 0.0
        self._keys = 0

    @property
    def is_admin(self) -> bool:
        """Whether the user is an admin, who refunds orders."""
        return self.number == ADMIN_NUMBER

    @property
    def user(self) -> str:
        """The user's id."""
        return self.session.user.id

    def new_key(self) -> str:
        """Return an idempotency key that this client has not used."""
        self._keys += 1
        return f"{self.host}-{self._keys}"

    def leave(self, seconds: float) -> None:
        """Close the session when this action is done, and open another one after some seconds."""
        self.away_seconds = seconds

    def come_back(self) -> float:
        """Return how long to wait for the user who has left; they leave no second time."""
        seconds, self.away_seconds = self.away_seconds, 0.0
        return seconds

    async def attempt(self, what: str, call: Callable[[], Awaitable[T]]) -> T | None:
        """
        Make a call until it is answered, or until the user has had enough.

        Args:
            what: names it, for the message of a failure.
            call: makes it; each time with the same arguments, so that a command needs a key.

        Returns:
            The result; None if the outcome is unknown.

        Raises:
            Stuck: there was no answer in ``CALL_SECONDS_MAX``.
            HubbubError: the call was refused.
        """
        while True:
            self.calls += 1
            try:
                return await self._in_time(what, call)
            except (StorageError, Overloaded, Closed):
                self.refused += 1
                if self.random.random() < LEAVE_IT_CHANCE:
                    return None
            except RateLimited as error:
                self.refused += 1
                await anyio.sleep(error.retry_after or PAUSE_SECONDS_MAX)
            await anyio.sleep(self.random.random() * PAUSE_SECONDS_MAX)

    async def _in_time(self, what: str, call: Callable[[], Awaitable[T]]) -> T:
        with anyio.move_on_after(CALL_SECONDS_MAX):
            return await call()
        raise Stuck(f"{self.user}: {what} was not answered in {CALL_SECONDS_MAX:.0f} s.")
