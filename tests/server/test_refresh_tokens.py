"""Refresh tokens: each can be used once, and a copy of one ends its sign-in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest
from argon2 import PasswordHasher

import hubbub
from hubbub.client.remote import RemoteSession
from hubbub.server import Gateway, create_app
from hubbub.server.auth.tokens import Identity
from tests.client.proxy import proxied
from tests.server.api import http_of
from tests.server.memory_socket import Client, session_of
from tests.server.running import SETTINGS as RUNNING
from tests.server.running import running
from tests.session.worlds import SetClock

PASSWORD = "correct horse"
# What a hash costs is not what is tested.
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@asynccontextmanager
async def gateway_at(clock: SetClock, url: str = "memory://") -> AsyncIterator[Gateway]:
    """Open a hub that goes by this clock; yield a gateway to it."""
    settings = hubbub.Settings(clock=clock, refresh_grace_seconds=30.0, token_seconds=10_000)
    async with hubbub.open(url, settings=settings) as hub:
        yield Gateway(hub)


async def sign_in(gateway: Gateway, **params: Any) -> dict[str, Any]:
    """Sign in on a connection of its own; return the answer, or the error."""
    answer = await Client(gateway).ask("session.sign_in", **params)
    found: dict[str, Any] = answer.get("result") or answer["error"]
    return found


async def test_each_sign_in_gives_another_token() -> None:
    clock = SetClock()
    async with gateway_at(clock) as gateway:
        answer = await sign_in(gateway, nickname="Ann")
        tokens, users = [answer["refresh_token"]], {answer["user"]["id"]}
        for _ in range(5):
            clock.passed += 31.0
            answer = await sign_in(gateway, token=tokens[-1])
            tokens.append(answer["refresh_token"])
            users.add(answer["user"]["id"])

    assert len(set(tokens)) == 6
    assert len(users) == 1


async def test_a_client_that_has_lost_the_answer_is_given_it_again() -> None:
    clock = SetClock()
    async with gateway_at(clock) as gateway:
        token = (await sign_in(gateway, nickname="Ann"))["refresh_token"]
        lost = (await sign_in(gateway, token=token))["refresh_token"]
        clock.passed += 29.0
        again = (await sign_in(gateway, token=token))["refresh_token"]
        clock.passed += 3_600.0
        later = await sign_in(gateway, token=again)

    generations = [gateway.tokens.verify(one).generation for one in (lost, again)]
    assert generations == [1, 1]
    assert "refresh_token" in later


async def test_a_copy_of_a_token_ends_the_sign_in_at_once_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = SetClock()
    async with gateway_at(clock) as gateway:
        victim = Client(gateway)
        first = (await victim.ask("session.sign_in", nickname="Ann"))["result"]["refresh_token"]
        newest = await sign_in(gateway, token=first)
        clock.passed += 31.0
        thief = await sign_in(gateway, token=first)
        owner = await sign_in(gateway, token=newest["refresh_token"])
        async with http_of(create_app(gateway.hub, gateway=gateway)) as http:
            headers = {"Authorization": f"Bearer {newest['token']}"}
            request = await http.get("/api/chat/rooms", headers=headers)

    assert "used before" in thief["message"]
    assert "signed out" in owner["message"]
    assert request.status_code == 401
    assert victim.socket.closed == (3501, "You have signed out.")
    [record] = [r for r in caplog.records if "old refresh token" in r.getMessage()]
    assert first not in record.getMessage()


async def test_other_sign_ins_of_the_user_go_on() -> None:
    clock = SetClock()
    async with gateway_at(clock) as gateway:
        gateway.hub.accounts.hashing.hasher = CHEAP
        async with gateway.hub.session("ann") as ann:
            await ann.users.create_account("Ann", PASSWORD)
        one, other = [
            (await sign_in(gateway, name="Ann", password=PASSWORD))["refresh_token"]
            for _ in range(2)
        ]
        await sign_in(gateway, token=one)
        clock.passed += 31.0
        refused = await sign_in(gateway, token=one)
        fine = await sign_in(gateway, token=other)

    assert "message" in refused
    assert "refresh_token" in fine


async def test_it_is_known_after_a_restart(tmp_path: Path) -> None:
    clock = SetClock()
    path = str(tmp_path / "hub.db")
    async with gateway_at(clock, path) as gateway:
        first = (await sign_in(gateway, nickname="Ann"))["refresh_token"]
        second = (await sign_in(gateway, token=first))["refresh_token"]
    clock.passed += 31.0
    async with gateway_at(clock, path) as gateway:
        third = (await sign_in(gateway, token=second))["refresh_token"]
        refused = await sign_in(gateway, token=first)
        after = await sign_in(gateway, token=third)

    assert "used before" in refused["message"]
    assert "signed out" in after["message"]


async def test_a_token_of_an_older_version_goes_on_and_rotates_from_then_on() -> None:
    clock = SetClock()
    async with gateway_at(clock) as gateway:
        async with gateway.hub.session("ann", nickname="Ann"):
            pass
        old = gateway.tokens._sign(
            {"sub": "ann", "role": "user", "use": "refresh", "sid": "phone"}, 1_000.0
        )
        next_ = await sign_in(gateway, token=old)
        clock.passed += 31.0
        reused = await sign_in(gateway, token=old)
        after = await sign_in(gateway, token=next_["refresh_token"])

    assert next_["user"]["id"] == "ann"
    assert "used before" in reused["message"]
    assert "signed out" in after["message"]


async def test_an_access_token_uses_nothing_up() -> None:
    clock = SetClock()
    async with gateway_at(clock) as gateway:
        first = await sign_in(gateway, nickname="Ann")
        for _ in range(3):
            clock.passed += 31.0
            again = await sign_in(gateway, token=first["token"])
        refreshed = await sign_in(gateway, token=first["refresh_token"])

    assert (again["token"], again["refresh_token"]) == (first["token"], None)
    assert refreshed["user"]["id"] == first["user"]["id"]


async def test_after_the_clock_went_back_passwords_and_tokens_are_good() -> None:
    clock = SetClock()
    async with gateway_at(clock) as gateway:
        gateway.hub.accounts.hashing.hasher = CHEAP
        async with gateway.hub.session("ann") as ann:
            await ann.users.create_account("Ann", PASSWORD)
            await ann.users.change_password(PASSWORD, "another one")
            await ann.users.sign_out(everywhere=True)
        clock.passed -= 3_600.0
        found = await sign_in(gateway, name="Ann", password="another one")
        again = await sign_in(gateway, token=found["refresh_token"])
        session = await session_of(gateway, again["token"])

    assert session.actor.user == "ann"


async def until_another(session: RemoteSession, used: list[str | None]) -> None:
    """Wait until a session has another refresh token."""
    with anyio.fail_after(5):
        while session.refresh_token in used:
            await anyio.lowlevel.checkpoint()
    used.append(session.refresh_token)


class Store:
    """Keeps a token for several connections."""

    def __init__(self) -> None:
        self.tokens: list[str] = []

    async def load(self) -> str | None:
        """Return the newest token."""
        return self.tokens[-1] if self.tokens else None

    async def save(self, token: str) -> None:
        """Keep a token."""
        self.tokens.append(token)


async def test_a_client_that_reconnects_goes_on_with_the_newest_token() -> None:
    settings = msgspec.structs.replace(RUNNING, refresh_grace_seconds=1e-9)
    async with (
        running(settings=settings) as server,
        proxied(server.address) as proxy,
        hubbub.connect(proxy.address, nickname="Ann") as ann,
    ):
        used = [ann.refresh_token]
        for _ in range(3):
            proxy.cut()
            await until_another(ann, used)

    assert len(set(used)) == 4


async def test_two_clients_of_one_sign_in_share_its_newest_token() -> None:
    settings = msgspec.structs.replace(RUNNING, refresh_grace_seconds=1e-9)
    store = Store()
    async with (
        running(settings=settings) as server,
        proxied(server.address) as proxy,
        hubbub.connect(proxy.address, nickname="Ann", token_store=store) as ann,
        hubbub.connect(server.address, token=store.tokens[0], token_store=store) as beside,
    ):
        used = [ann.refresh_token]
        proxy.cut()
        await until_another(ann, used)
        await beside.users.get(beside.user.id)

        assert beside.user.id == ann.user.id
    assert len(set(store.tokens)) == 3


async def test_a_store_with_the_token_of_another_sign_in_changes_nobody() -> None:
    store = Store()
    async with running() as server, proxied(server.address) as proxy:
        other = server.gateway.tokens.refresh_token(Identity("eve", session="other"), 0)
        async with hubbub.connect(proxy.address, nickname="Ann", token_store=store) as ann:
            store.tokens.append(other)
            proxy.cut()

            assert (await ann.users.get(ann.user.id)).nickname == "Ann"
            assert ann.user.nickname == "Ann"
