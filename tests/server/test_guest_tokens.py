"""Only a guest's own token transfers the guest's data."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

import hubbub
from hubbub.errors import NotAllowed
from hubbub.server import Gateway, Identity
from tests.server.memory_socket import Client
from tests.session.worlds import SetClock

PASSWORD = "correct horse"


class Scene:
    """A hub with something on sale, and a victim with a cart."""

    def __init__(self, hub: hubbub.Hubbub, gateway: Gateway, clock: SetClock) -> None:
        self.hub = hub
        self.gateway = gateway
        self.clock = clock
        self.victim = Client(gateway)
        self.tokens: dict[str, str] = {}

    async def fill(self, *, account: bool) -> None:
        """Sign the victim in, and put something in the cart."""
        answer = (await self.victim.ask("session.sign_in", nickname="Victim"))["result"]
        self.tokens = {kind: answer[kind] for kind in ("token", "refresh_token")}
        if account:
            await self.victim.ask("users.create_account", name="Victim", password=PASSWORD)
        await self.victim.ask("shop.add_item", sku="mouse", quantity=7)

    async def take(self, token: str) -> tuple[Any, list[Any]]:
        """Sign in as somebody else with a guest's token; return the error and the cart."""
        thief = Client(self.gateway)
        answer = await thief.ask("session.sign_in", nickname="Thief", guest=token)
        if "error" in answer:
            return answer["error"]["data"]["code"], []
        return None, (await thief.ask("shop.cart"))["result"]["lines"]

    async def cart(self, user: str) -> int:
        """Return how many lines a user's cart has."""
        async with self.hub.session(user) as session:
            return len((await session.shop.cart()).lines)


@asynccontextmanager
async def scene(*, account: bool = False) -> AsyncIterator[Scene]:
    clock = SetClock()

    async def of_the_application(token: str) -> Identity | None:
        return Identity(token) if token.startswith("app-") else None

    settings = hubbub.Settings(clock=clock, refresh_grace_seconds=30.0)
    async with hubbub.open("memory://", settings=settings) as hub:
        async with hub.session("root", role="admin") as root:
            await root.shop.set_product("mouse", "Mouse", hubbub.Money(999, "USD"))
        found = Scene(hub, Gateway(hub, of_the_application), clock)
        await found.fill(account=account)
        yield found


KINDS = ("token", "refresh_token")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_guest_s_own_token_brings_the_cart(kind: str) -> None:
    async with scene() as s:
        error, lines = await s.take(s.tokens[kind])

    assert error is None
    assert [line["quantity"] for line in lines] == [7]


@pytest.mark.parametrize("everywhere", [True, False])
@pytest.mark.parametrize("kind", KINDS)
async def test_a_token_of_one_who_has_signed_out_brings_nothing(
    kind: str, everywhere: bool
) -> None:
    async with scene() as s:
        user = s.gateway.tokens.verify(s.tokens[kind]).user
        await s.victim.ask("users.sign_out", everywhere=everywhere)
        error, lines = await s.take(s.tokens[kind])
        kept = await s.cart(user)

    assert (error, lines, kept) == ("not_allowed", [], 1)


@pytest.mark.parametrize("kind", KINDS)
async def test_an_account_s_cart_stays_the_account_s(kind: str) -> None:
    async with scene(account=True) as s:
        user = s.gateway.tokens.verify(s.tokens[kind]).user
        error, lines = await s.take(s.tokens[kind])
        kept = await s.cart(user)

    assert (error, lines, kept) == ("not_allowed", [], 1)


async def test_a_refresh_token_that_was_used_long_ago_brings_nothing() -> None:
    async with scene() as s:
        await Client(s.gateway).ask("session.sign_in", token=s.tokens["refresh_token"])
        s.clock.passed += 31.0
        error, lines = await s.take(s.tokens["refresh_token"])

    assert (error, lines) == ("not_allowed", [])


async def test_a_token_that_stands_for_the_application_s_is_no_guest_s() -> None:
    async with scene() as s:
        theirs = Client(s.gateway)
        token = (await theirs.ask("session.sign_in", token="app-1"))["result"]["token"]
        await theirs.ask("shop.add_item", sku="mouse")
        answers = [await s.take(one) for one in (token, "app-1", "", "nonsense")]

    assert answers == [("not_allowed", [])] * 4


async def test_a_refused_guest_s_token_makes_nobody_known() -> None:
    async with scene(account=True) as s:
        before = s.hub.meter.stats().events["registered"]
        await s.take(s.tokens["token"])

        assert s.hub.meter.stats().events["registered"] == before


async def test_who_has_an_account_by_now_signs_in_with_the_token_of_before() -> None:
    async with scene(account=True) as s:
        again = Client(s.gateway)
        answer = await again.ask(
            "session.sign_in", name="Victim", password=PASSWORD, guest=s.tokens["refresh_token"]
        )
        lines = (await again.ask("shop.cart"))["result"]["lines"]

    assert "result" in answer
    assert len(lines) == 1


async def test_nor_does_the_application_itself_take_an_account_s_cart() -> None:
    async with scene(account=True) as s:
        user = s.gateway.tokens.verify(s.tokens["token"]).user
        with pytest.raises(NotAllowed, match="account"):
            async with s.hub.session("eve", guest=user):
                pass

        assert await s.cart(user) == 1
