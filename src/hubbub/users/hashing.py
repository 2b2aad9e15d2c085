"""Passwords: hashed in worker threads, a few at a time, with priority for known clients."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, TypeVar

import anyio
from anyio import to_thread

from ..errors import Overloaded
from ..extras import needs

if TYPE_CHECKING:
    from argon2 import PasswordHasher

__all__ = ["WAITING_MAX", "Hashing"]

T = TypeVar("T")

# Passwords that wait for a thread or are in one: separately for strangers and for known
# clients. The next client gets Overloaded, and tries again.
WAITING_MAX = 50


class Hashing:
    """
    Hashes passwords with Argon2id (RFC 9106; 64 MiB, three passes, one lane).

    Args:
        threads_max: the number of passwords hashed at the same time.
    """

    def __init__(self, threads_max: int) -> None:
        self.hasher: PasswordHasher | None = None
        self._nobody = ""
        self._waiting = {True: 0, False: 0}
        self._free = anyio.Semaphore(threads_max)
        # Reserve one thread for known clients; if there is only one, they are next in line.
        self._strangers = anyio.Semaphore(max(1, threads_max - 1))
        self._threads = anyio.CapacityLimiter(threads_max)

    async def hash(self, password: str) -> str:
        """
        Hash a password.

        Raises:
            Overloaded: too many passwords wait for a thread.
        """
        return await self._in_thread(lambda: self._ready_hasher().hash(password))

    async def verify(self, hashed: str, password: str, *, known: bool) -> bool:
        """
        Return whether a password matches a hash.

        Args:
            hashed: the hash; empty for an account that does not exist.
            password: the password to verify.
            known: True if the account's user has signed in from this address before.

        Raises:
            Overloaded: too many passwords wait for a thread.
        """
        return await self._in_thread(lambda: self._verify(hashed, password), known=known)

    async def _in_thread(self, work: Callable[[], T], *, known: bool = False) -> T:
        if self._waiting[known] >= WAITING_MAX:
            raise Overloaded("Too many users are signing in; try again in a few seconds.")
        self._waiting[known] += 1
        try:
            async with nullcontext() if known else self._strangers, self._free:
                return await to_thread.run_sync(work, limiter=self._threads)
        finally:
            self._waiting[known] -= 1

    # In a thread

    def _verify(self, hashed: str, password: str) -> bool:
        hasher = self._ready_hasher()
        from argon2.exceptions import VerificationError  # noqa: PLC0415  # it needs an extra

        if not self._nobody:
            self._nobody = hasher.hash("nobody has this")
        try:
            # Take as long for an account that does not exist.
            given = password.encode(errors="replace")
            return hasher.verify(hashed or self._nobody, given) and bool(hashed)
        except VerificationError:
            return False

    def _ready_hasher(self) -> PasswordHasher:
        if self.hasher is None:
            with needs("server", "An account with a password"):
                from argon2 import PasswordHasher  # noqa: PLC0415  # it needs an extra
            self.hasher = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)
        return self.hasher
