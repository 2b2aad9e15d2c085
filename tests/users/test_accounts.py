"""Passwords, hashed in threads."""

from __future__ import annotations

import anyio
import pytest

import hubbub
from hubbub.errors import NotAllowed, Overloaded
from hubbub.users.accounts import ADDRESS_FACTOR, ATTEMPTS_KEYS_MAX, WAITING_MAX

PASSWORD = "correct horse"


async def test_a_hash_is_argon2id_and_no_two_are_alike() -> None:
    async with hubbub.open("memory://") as hub:
        one, other = [await hub.accounts.hash(PASSWORD) for _ in range(2)]

    assert one.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert one != other


async def test_an_account_is_found_by_its_name() -> None:
    async with hubbub.open("memory://") as hub, hub.session("ann") as ann:
        await ann.users.create_account("Ann", PASSWORD)

        assert await hub.accounts.find("ANN") == "ann"
        assert await hub.accounts.find("bob") is None


async def test_who_signs_in_is_told_by_name_and_password() -> None:
    async with hubbub.open("memory://") as hub, hub.session("ann") as ann:
        await ann.users.create_account("Ann", PASSWORD)

        assert await hub.accounts.sign_in("ann", PASSWORD, "here") == "ann"
        for password in ("wrong", "", "\ud800", PASSWORD * 1_000):
            with pytest.raises(NotAllowed):
                await hub.accounts.sign_in("ann", password, "here")


async def test_a_wrong_password_is_logged_without_it(caplog: pytest.LogCaptureFixture) -> None:
    async with hubbub.open("memory://") as hub, hub.session("ann") as ann:
        await ann.users.create_account("Ann", PASSWORD)
        with caplog.at_level("INFO", "hubbub.users"), pytest.raises(NotAllowed):
            await hub.accounts.sign_in("ann", "a secret of mine", "10.0.0.7")

    [record] = caplog.records
    assert (vars(record)["account"], vars(record)["address"]) == ("account/ann", "10.0.0.7")
    assert "secret" not in record.getMessage()


async def test_too_many_who_wait_are_told_to_come_back() -> None:
    settings = hubbub.Settings(password_checks_max=1, password_attempts=WAITING_MAX)
    refused = 0

    async with hubbub.open("memory://", settings=settings) as hub:

        async def hash_() -> None:
            nonlocal refused
            try:
                await hub.accounts.hash(PASSWORD)
            except Overloaded:
                refused += 1
                tasks.cancel_scope.cancel()

        async with anyio.create_task_group() as tasks:
            for _ in range(WAITING_MAX + 2):
                tasks.start_soon(hash_)

    assert refused == 2


def test_the_attempts_that_are_remembered_are_bounded() -> None:
    assert ATTEMPTS_KEYS_MAX == 10_000
    assert ADDRESS_FACTOR > 1
