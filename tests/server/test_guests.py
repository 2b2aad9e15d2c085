"""Guests: whether they can sign in, and how others recognize them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

import hubbub
from hubbub.errors import NotAllowed
from hubbub.server import Gateway, Identity, create_app
from tests.server.api import http_of
from tests.server.memory_socket import Client
from tests.server.running import SETTINGS, running

PASSWORD = "correct horse"
NO_GUESTS = msgspec.structs.replace(SETTINGS, guests=False)


async def of_the_application(token: str) -> Identity | None:
    """Know everybody."""
    return Identity(token)


async def test_guests_are_refused_over_a_websocket() -> None:
    async with hubbub.open("memory://", settings=NO_GUESTS) as hub:
        refused = await Client(Gateway(hub)).ask("session.sign_in", nickname="Eve")

        assert refused["error"]["data"]["code"] == "not_allowed"
        assert "with a token of the application" in refused["error"]["message"]
        assert await nobody_is_known(hub)


async def test_guests_are_refused_over_http() -> None:
    async with hubbub.open("memory://", settings=NO_GUESTS) as hub:
        async with http_of(create_app(hub)) as http:
            refused = await http.post("/api/users/sign_in", json={"nickname": "Eve"})

        assert refused.status_code == 401
        assert "no guests" in refused.json()["detail"]
        assert await nobody_is_known(hub)


async def test_users_of_the_application_and_accounts_are_no_guests() -> None:
    async with hubbub.open("memory://", settings=NO_GUESTS) as hub:
        async with hub.session("zoe") as zoe:
            await zoe.users.create_account("Zoe", PASSWORD)
        gateway = Gateway(hub, of_the_application)
        ann, zoe_again, signed = Client(gateway), Client(gateway), Client(gateway)
        answers = [
            await ann.ask("session.sign_in", token="ann"),
            await zoe_again.ask("session.sign_in", name="zoe", password=PASSWORD),
            await signed.ask("session.sign_in", token=gateway.tokens.sign("bob")),
        ]

    users = [answer["result"]["user"] for answer in answers]
    assert [user["id"] for user in users] == ["ann", "zoe", "bob"]
    assert not any("guest" in user for user in users)


async def test_a_guest_of_before_is_refused_with_every_token(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    async with running(path) as server:
        async with hubbub.connect(server.address, nickname="Gus") as gus:
            tokens = gus.token, str(gus.refresh_token)
        async with hubbub.connect(server.address, nickname="Ann") as ann:
            await ann.users.create_account("Ann", PASSWORD)
            with_account = str(ann.refresh_token)
        async with hubbub.connect(server.address, nickname="Mia") as mia:
            async with server.hub.session("root", role="admin") as root:
                await root.users.set_role(mia.user.id, "moderator")
            moderator = str(mia.refresh_token)
    async with running(path, NO_GUESTS) as server:
        for token in tokens:
            with pytest.raises(NotAllowed, match="no guests"):
                async with hubbub.connect(server.address, token=token):
                    pytest.fail("guests are refused")
        async with http_of(create_app(server.hub)) as http:
            headers = {"Authorization": f"Bearer {tokens[0]}"}
            asked = await http.get("/api/chat/rooms", headers=headers)
        for token in (with_account, moderator):
            async with hubbub.connect(server.address, token=token) as session:
                await session.chat.rooms()

    assert asked.status_code == 401


async def test_the_process_may_still_act_for_a_guest() -> None:
    async with hubbub.open("memory://", settings=NO_GUESTS) as hub, hub.session("eve") as eve:
        assert (await eve.users.get("eve")).guest is False


async def test_a_guest_is_one_until_there_is_an_account(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    async with running(path) as server, hubbub.connect(server.address, nickname="Gus") as gus:
        first = gus.user
        token = str(gus.refresh_token)
    # It survives a restart, and the snapshot of no state is needed for it.
    async with (
        running(path) as server,
        server.hub.session("ann") as ann,
        hubbub.connect(server.address, token=token) as gus,
    ):
        second, other = gus.user, await gus.users.get("ann")
        third = await gus.users.create_account("Gus", PASSWORD)
        fourth = await ann.users.get(first.id)

    assert (first.guest, second.guest, other.guest) == (True, True, False)
    assert (third.guest, fourth.guest) == (False, False)


async def test_over_the_wire_only_a_guest_says_so() -> None:
    async with hubbub.open("memory://") as hub:
        gateway = Gateway(hub, of_the_application)
        gus, ann = Client(gateway), Client(gateway)
        guest = (await gus.ask("session.sign_in", nickname="Gus"))["result"]["user"]
        known = (await ann.ask("session.sign_in", token="ann"))["result"]["user"]
        about: Any = (await ann.ask("users.get", user_id=guest["id"]))["result"]

    assert (guest["guest"], about["guest"]) == (True, True)
    assert "guest" not in known


async def nobody_is_known(hub: hubbub.Hubbub) -> bool:
    streams = [stream for stream, _ in hub.journal.store.streams()]
    return not any(stream.startswith("user/") for stream in streams)
