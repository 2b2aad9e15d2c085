"""Passwords: hashed in a worker thread, a few at a time, and tried a few times only."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar
from unicodedata import normalize

import anyio
from anyio import to_thread

from ..errors import NotAllowed, Overloaded
from ..journal.agenda import HUB
from ..journal.caller import Caller
from ..journal.command import Command, nothing
from ..journal.event import Event
from ..journal.states import States
from ..ratelimit import RateLimits, SlidingWindow
from .account import PASSWORD_CHARS_MAX, AccountState, account_stream

if TYPE_CHECKING:
    from argon2 import PasswordHasher

__all__ = ["Accounts"]

logger = logging.getLogger("hubbub.users")

T = TypeVar("T")

# Passwords that wait for a thread, or are in one; the next is told to come back.
WAITING_MAX = 50
# Accounts and addresses whose attempts are remembered.
ATTEMPTS_KEYS_MAX = 10_000
# Many people may come from one address.
ADDRESS_FACTOR = 10


class Accounts:
    """
    What signs people in to a hub.

    Passwords are hashed with Argon2id (RFC 9106; 64 MiB, three passes, one lane).

    Args:
        hub: whose commands are those of the hub itself.
    """

    def __init__(self, hub: Caller) -> None:
        self._hub = hub
        self._hasher: PasswordHasher | None = None
        self._nobody = ""
        settings = hub.settings
        self._waiting = 0
        self._threads = anyio.CapacityLimiter(settings.password_checks_max)
        attempts, period = settings.password_attempts, settings.password_attempts_period
        self._by_account = RateLimits(
            lambda: SlidingWindow(attempts, period, "attempts to sign in"), ATTEMPTS_KEYS_MAX
        )
        self._by_address = RateLimits(
            lambda: SlidingWindow(attempts * ADDRESS_FACTOR, period, "attempts to sign in"),
            ATTEMPTS_KEYS_MAX,
        )

    async def sign_in(self, name: str, password: str, address: str) -> str:
        """
        Return the id of the user whose account and password these are.

        Args:
            name: the account's.
            password: what was given as its password.
            address: where it came from.

        Raises:
            NotAllowed: there is no such account, or it has another password.
            RateLimited: too many were tried, for this account or from this address.
            Overloaded: too many wait for a thread.
        """
        stream = account_stream(name, self._hub.settings.name_chars_max)
        account = await self.check(stream, password, address)
        return account.user

    async def check(self, stream: str, password: str, address: str) -> AccountState:
        """Return an account if this is its password; see :meth:`sign_in`."""
        self.charge(address)
        self._by_account.charge(stream, self._hub.settings.clock.monotonic())

        account = await self._look_up(stream)
        if not await self._in_thread(self._verify, account.hash, password):
            about = {"account": stream, "address": address}
            logger.info("a wrong password for %s from %s", stream, address, extra=about)
            raise NotAllowed("There is no account of this name with this password.")
        return account

    async def find(self, name: str) -> str | None:
        """Return the id of the user who has the account of a name, if there is one."""
        stream = account_stream(name, self._hub.settings.name_chars_max)
        return (await self._look_up(stream)).user or None

    async def _look_up(self, stream: str) -> AccountState:
        def found(states: States, events: Sequence[Event]) -> AccountState:
            state = states.of(AccountState, stream)
            return AccountState(state.user, state.hash)

        return await self._hub.execute(Command(HUB, nothing, found, reads=(stream,)))

    def charge(self, address: str) -> None:
        """
        Count an attempt from somewhere.

        Raises:
            RateLimited: there were too many.
        """
        self._by_address.charge(address, self._hub.settings.clock.monotonic())

    async def hash(self, password: str) -> str:
        """
        Hash a password that was checked.

        Raises:
            Overloaded: too many wait for a thread.
        """
        return await self._in_thread(self._hash, password)

    async def _in_thread(self, work: Callable[..., T], *args: str) -> T:
        if self._waiting >= WAITING_MAX:
            raise Overloaded("Too many people sign in just now; try again in a moment.")
        self._waiting += 1
        try:
            return await to_thread.run_sync(work, *args, limiter=self._threads)
        finally:
            self._waiting -= 1

    # In a thread

    def _hash(self, password: str) -> str:
        return self._ready_hasher().hash(password)

    def _verify(self, hashed: str, password: str) -> bool:
        from argon2.exceptions import VerificationError  # noqa: PLC0415  # it needs an extra

        hasher = self._ready_hasher()
        if not self._nobody:
            self._nobody = hasher.hash("nobody has this")
        try:
            # For an account that is not there it takes as long.
            return hasher.verify(hashed or self._nobody, _given(password)) and bool(hashed)
        except VerificationError:
            return False

    def _ready_hasher(self) -> PasswordHasher:
        if self._hasher is None:
            try:
                from argon2 import PasswordHasher  # noqa: PLC0415  # it needs an extra
            except ImportError as error:
                text = "Accounts with passwords need argon2: pip install 'hubbub[server]'."
                raise ImportError(text) from error
            self._hasher = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)
        return self._hasher


def _given(password: str) -> bytes:
    # No account has one that is longer, or that UTF-8 has no form for.
    return normalize("NFC", password[: PASSWORD_CHARS_MAX + 1]).encode(errors="replace")
