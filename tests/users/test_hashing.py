"""Passwords in worker threads."""

from __future__ import annotations

import threading

import anyio
import pytest
from argon2 import PasswordHasher

from hubbub.errors import Overloaded
from hubbub.users.hashing import WAITING_MAX, Hashing


class HeldHasher(PasswordHasher):
    """Hashes nothing before the test releases it."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.go = threading.Event()

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        """Hash a password, later."""
        assert self.go.wait(10)
        return super().hash(password, salt=salt)


async def test_a_password_is_verified_by_its_hash_alone() -> None:
    hashing = Hashing(1)
    hashing.hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    hashed = await hashing.hash("correct horse")

    assert await hashing.verify(hashed, "correct horse", known=False)
    for wrong in ("wrong", "", "\ud800"):
        assert not await hashing.verify(hashed, wrong, known=True)
    assert not await hashing.verify("", "nobody has this", known=False)


async def test_too_many_strangers_are_told_to_try_again_and_others_go_on() -> None:
    hashing = Hashing(1)
    hashing.hasher = held = HeldHasher()
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("correct horse")
    order = list[str]()

    async def stranger() -> None:
        await hashing.hash("correct horse")
        order.append("stranger")

    async def known() -> None:
        assert await hashing.verify(cheap, "correct horse", known=True)
        order.append("known")

    async with anyio.create_task_group() as tasks:
        for _ in range(WAITING_MAX):
            tasks.start_soon(stranger)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(Overloaded):
            await hashing.hash("correct horse")
        tasks.start_soon(known)
        await anyio.wait_all_tasks_blocked()
        held.go.set()

    # One password was in the thread.
    assert order.index("known") <= 1
    assert len(order) == WAITING_MAX + 1


async def test_whoever_does_not_wait_any_more_gives_the_place_back() -> None:
    hashing = Hashing(1)
    hashing.hasher = held = HeldHasher()

    async with anyio.create_task_group() as tasks:
        for _ in range(WAITING_MAX):
            tasks.start_soon(hashing.hash, "correct horse")
        await anyio.wait_all_tasks_blocked()
        held.go.set()
        tasks.cancel_scope.cancel()

    assert await hashing.hash("correct horse")
