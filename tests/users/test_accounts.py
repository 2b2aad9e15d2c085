"""Passwords, hashed in threads."""

from __future__ import annotations

import anyio
import pytest
from argon2 import PasswordHasher

import hubbub
from hubbub.errors import Invalid, NotAllowed, Overloaded, RateLimited
from hubbub.server.auth.sign_in import SignIn
from hubbub.users.hashing import WAITING_MAX, Hashing
from tests.event_loop import Backend
from tests.server.memory_socket import Client
from tests.users.node_kit import Cluster, in_cluster

PASSWORD = "correct horse"
# What a hash costs is not what is tested.
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


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


async def test_wrong_passwords_from_elsewhere_lock_nobody_out() -> None:
    settings = hubbub.Settings(password_attempts=2)
    async with hubbub.open("memory://", settings=settings) as hub, hub.session("ann") as ann:
        hub.accounts.hashing.hasher = CHEAP
        await ann.users.create_account("Ann", PASSWORD)
        for number in range(3):
            for _ in range(2):
                with pytest.raises(NotAllowed):
                    await hub.accounts.sign_in("ann", "wrong", f"203.0.113.{number}")

        assert await hub.accounts.sign_in("ann", PASSWORD, "192.0.2.1") == "ann"


class Unhashed(Hashing):
    """Hashes nothing, and so needs no thread, which virtual time cannot see."""

    def __init__(self) -> None:
        super().__init__(1)

    async def hash(self, password: str) -> str:
        return password

    async def verify(self, hashed: str, password: str, *, known: bool) -> bool:
        return hashed == password


def test_attempts_at_all_nodes_count_together(backend: Backend) -> None:
    async def story(cluster: Cluster) -> None:
        async with (
            cluster.node(password_attempts=3) as one,
            cluster.node(password_attempts=3) as two,
            one.session("ann") as ann,
        ):
            for hub in (one, two):
                hub.accounts.hashing = Unhashed()
            await ann.users.create_account("Ann", PASSWORD)
            outcomes = list[str]()
            for hub in (one, two, one, two, one):
                try:
                    await hub.accounts.sign_in("ann", "wrong", "192.0.2.1")
                except (NotAllowed, RateLimited) as error:
                    outcomes.append(error.code)

            assert outcomes == ["not_allowed"] * 3 + ["rate_limited"] * 2
            assert await two.accounts.sign_in("ann", PASSWORD, "192.0.2.2") == "ann"
            await anyio.sleep(one.settings.password_attempts_period)
            assert await two.accounts.sign_in("ann", PASSWORD, "192.0.2.1") == "ann"

    in_cluster(backend, story)


def test_a_node_knows_from_where_a_user_has_signed_in_on_another(backend: Backend) -> None:
    async def story(cluster: Cluster) -> None:
        async with (
            cluster.node(password_attempts=1) as one,
            cluster.node(password_attempts=1) as two,
            one.session("ann") as ann,
        ):
            for hub in (one, two):
                hub.accounts.hashing = Unhashed()
            await ann.users.create_account("Ann", PASSWORD)
            await one.accounts.sign_in("ann", PASSWORD, "192.0.2.1")
            await anyio.sleep(1)
            for number in range(5):
                with pytest.raises((NotAllowed, RateLimited)):
                    await two.accounts.sign_in(f"nobody {number}", "x" * 2_000, "192.0.2.1")

            assert await two.accounts.sign_in("ann", PASSWORD, "192.0.2.1") == "ann"

    in_cluster(backend, story)


async def test_nor_do_those_from_an_address_that_somebody_has_signed_in_from() -> None:
    settings = hubbub.Settings(password_attempts=1)
    async with hubbub.open("memory://", settings=settings) as hub, hub.session("ann") as ann:
        hub.accounts.hashing.hasher = CHEAP
        await ann.users.create_account("Ann", PASSWORD)
        await hub.accounts.sign_in("ann", PASSWORD, "192.0.2.1")
        for number in range(20):
            with pytest.raises((NotAllowed, RateLimited)):
                await hub.accounts.sign_in(f"nobody {number}", "x" * 2_000, "192.0.2.1")

        assert await hub.accounts.sign_in("ann", PASSWORD, "192.0.2.1") == "ann"


async def test_a_password_that_nobody_can_have_is_not_hashed() -> None:
    async with hubbub.open("memory://") as hub:
        hub.accounts.hashing.hasher = None
        with pytest.raises(NotAllowed):
            await hub.accounts.sign_in("ann", "x" * 60_000, "here")
        with pytest.raises(Invalid):
            await hub.accounts.sign_in("x" * 60_000, PASSWORD, "here")

        assert hub.accounts.hashing.hasher is None


async def test_a_password_that_is_changed_while_it_is_checked_signs_nobody_in() -> None:
    async with hubbub.open("memory://") as hub, hub.session("ann") as ann:
        hub.accounts.hashing.hasher = CHEAP
        await ann.users.create_account("Ann", PASSWORD)
        gateway = hubbub.server.Gateway(hub)
        sign_in = SignIn(name="Ann", password=PASSWORD)
        identity = await gateway.sign_ins.identify_slowly(sign_in, "here")
        await ann.users.change_password(PASSWORD, "another one")
        client = Client(gateway)
        gateway.sign_ins.identify = lambda sign_in: identity  # type: ignore[method-assign]
        answer = await client.ask("session.sign_in")

    assert "signed out" in answer["error"]["message"]
