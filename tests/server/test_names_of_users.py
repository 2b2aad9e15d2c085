"""Names that the application gives its users, and guests who would look like them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hubbub
from hubbub.journal.event import STREAM_BYTES_MAX
from hubbub.names import skeletons
from hubbub.server import Gateway, Identity, create_app
from hubbub.testing import run_in_virtual_time
from tests.server.api import http_of
from tests.server.memory_socket import Client

PASSWORD = "correct horse"
# What a letter may be replaced by.
LOOK_ALIKES = {"a": "\u0430", "e": "\u0435", "o": "\u043e", "i": "\u0456", "c": "\u0441", "l": "1"}


async def of_the_application(token: str) -> Identity | None:
    """Read a token like ``id:role:name``."""
    user, role, name = token.split(":")
    return Identity(user, role, nickname=name or None)


def gateway_of(hub: hubbub.Hubbub) -> Gateway:
    return Gateway(hub, of_the_application)


async def sign_in(gateway: Gateway, **params: object) -> dict[str, object]:
    """Sign somebody in; return the user, or the error."""
    answer = await Client(gateway).ask("session.sign_in", **params)
    found: dict[str, object] = answer["result"]["user"] if "result" in answer else answer["error"]
    return found


def is_refused(found: dict[str, object]) -> bool:
    return "looks like the name of another user" in str(found.get("message", ""))


async def test_the_name_in_a_token_wins() -> None:
    async with hubbub.open("memory://") as hub:
        gateway = gateway_of(hub)
        user = await sign_in(gateway, token="1:user:Ann", nickname="Boss")

    assert user["nickname"] == "Ann"


async def test_a_token_that_the_application_signs_with_our_key_can_have_the_name() -> None:
    async with hubbub.open("memory://") as hub:
        gateway = gateway_of(hub)
        token = gateway.tokens.sign("1", nickname="Ann")
        user = await sign_in(gateway, token=token, nickname="Boss")
        unnamed = await sign_in(gateway, token=gateway.tokens.sign("2"), nickname="Boss")

    assert (user["nickname"], unnamed["nickname"]) == ("Ann", "Boss")


async def test_the_name_in_a_token_wins_over_http() -> None:
    async with hubbub.open("memory://") as hub:
        app = create_app(hub, authenticator=of_the_application)
        async with http_of(app) as http:
            params = {"token": "1:user:Ann", "nickname": "Boss"}
            answer = await http.post("/api/users/sign_in", json=params)

    assert answer.json()["user"]["nickname"] == "Ann"


async def test_the_token_that_comes_for_it_permits_no_other_name() -> None:
    async with hubbub.open("memory://") as hub:
        gateway = gateway_of(hub)
        first = await Client(gateway).ask("session.sign_in", token="1:user:Ann")
        again = await sign_in(gateway, token=first["result"]["token"], nickname="Boss")

    assert again["nickname"] == "Ann"


async def test_a_token_without_a_name_leaves_it_to_the_client() -> None:
    async with hubbub.open("memory://") as hub:
        gateway = gateway_of(hub)
        first = await Client(gateway).ask("session.sign_in", token="1:user:", nickname="Ann")
        again = await sign_in(gateway, token=first["result"]["token"], nickname="Annie")

    assert first["result"]["user"]["nickname"] == "Ann"
    assert again["nickname"] == "Annie"


@pytest.mark.parametrize("token", ["1:user:Alice", "1:moderator:Alice", "1:admin:Alice"])
async def test_a_guest_takes_no_name_of_a_user_of_the_application(token: str) -> None:
    async with hubbub.open("memory://") as hub:
        gateway = gateway_of(hub)
        await sign_in(gateway, token=token)
        for name in ("Alice", "ALICE", "\u0430lice", "AL1CE"):
            assert is_refused(await sign_in(gateway, nickname=name))
        guest = Client(gateway)
        await guest.ask("session.sign_in", nickname="Eve")
        updated = await guest.ask("users.update", nickname="Alice")

    assert is_refused(updated["error"])


async def test_a_guest_takes_no_such_name_over_http_or_for_an_account() -> None:
    async with hubbub.open("memory://") as hub:
        app = create_app(hub, authenticator=of_the_application)
        async with http_of(app) as http:
            # A user who makes requests only is known as well.
            headers = {"Authorization": "Bearer 1:user:Alice"}
            await http.get("/api/chat/rooms", headers=headers)
            as_guest = await http.post("/api/users/sign_in", json={"nickname": "AL1CE"})
            eve = (await http.post("/api/users/sign_in", json={"nickname": "Eve"})).json()
            headers = {"Authorization": f"Bearer {eve['token']}"}
            account = {"name": "\u0430lice", "password": PASSWORD}
            as_account = await http.post("/api/users/create_account", json=account, headers=headers)

    assert (as_guest.status_code, as_account.status_code) == (409, 409)


async def test_an_admin_of_the_process_has_a_name_that_no_guest_takes() -> None:
    async with hubbub.open("memory://") as hub, hub.session("support", role="admin") as admin:
        gateway = gateway_of(hub)
        by_id = await sign_in(gateway, nickname="Support")
        await admin.users.update(nickname="Help Desk")
        by_name = await sign_in(gateway, nickname="HELPDESK")
        # It is free again.
        freed = await sign_in(gateway, nickname="Support")

    assert is_refused(by_id)
    assert is_refused(by_name)
    assert freed["nickname"] == "Support"


async def test_whoever_becomes_a_moderator_has_a_name_that_no_guest_takes() -> None:
    async with hubbub.open("memory://") as hub, hub.session("root", role="admin") as root:
        gateway = gateway_of(hub)
        mia = await sign_in(gateway, nickname="Mia")
        before = await sign_in(gateway, nickname="MIA")
        await root.users.set_role(str(mia["id"]), "moderator")
        after = await sign_in(gateway, nickname="M1a")

    assert before["nickname"] == "MIA"
    assert is_refused(after)


async def test_two_users_of_the_application_may_have_one_name() -> None:
    async with hubbub.open("memory://") as hub:
        gateway = gateway_of(hub)
        users = [await sign_in(gateway, token=f"{number}:user:Ann") for number in range(3)]
        # The first has another name now; the others are still called so.
        await sign_in(gateway, token="0:user:Zoe")
        await sign_in(gateway, token="1:user:Ann")
        guest = await sign_in(gateway, nickname="Ann")

    assert [user["nickname"] for user in users] == ["Ann"] * 3
    assert is_refused(guest)


async def test_a_name_that_a_user_goes_by_no_more_is_free() -> None:
    async with hubbub.open("memory://") as hub:
        gateway = gateway_of(hub)
        await sign_in(gateway, token="1:user:Ann")
        await sign_in(gateway, token="1:user:Zoe")
        ann, zoe = [await sign_in(gateway, nickname=name) for name in ("Ann", "Zoe")]

    assert ann["nickname"] == "Ann"
    assert is_refused(zoe)


async def test_the_name_of_an_account_stays_though_the_nickname_changes() -> None:
    async with hubbub.open("memory://") as hub:
        gateway = gateway_of(hub)
        async with hub.session("1", nickname="Ann", role="admin") as ann:
            await ann.users.create_account("ANN", PASSWORD)
        async with hub.session("1", nickname="Ann", role="admin") as ann:
            await ann.users.update(nickname="Zoe")
        refused = await sign_in(gateway, nickname="ann")

    assert is_refused(refused)


async def test_names_are_kept_over_a_restart(tmp_path: Path) -> None:
    path = str(tmp_path / "hub.db")
    async with hubbub.open(path) as hub:
        await sign_in(gateway_of(hub), token="1:user:Ann")
    async with hubbub.open(path) as hub:
        refused = await sign_in(gateway_of(hub), nickname="ANN")

    assert is_refused(refused)


async def test_what_every_guest_is_called_belongs_to_nobody() -> None:
    async with hubbub.open("memory://") as hub:
        gateway = gateway_of(hub)
        await sign_in(gateway, token="1:admin:Guest")
        guests = [await sign_in(gateway, nickname="Guest"), await sign_in(gateway)]

    assert [guest["nickname"] for guest in guests] == ["Guest", "Guest"]


async def test_a_name_that_is_too_long_to_be_claimed_is_a_name_all_the_same() -> None:
    # One character that becomes eighteen.
    name = "\ufdfa" * 100
    async with hubbub.open("memory://") as hub:
        user = await sign_in(gateway_of(hub), token=f"1:admin:{name}")
        async with hub.session("\u3164", role="admin") as invisible:
            await invisible.chat.rooms()

    assert user["nickname"] == name
    assert any(len(skeleton.encode()) > STREAM_BYTES_MAX for skeleton in skeletons(name))


letters = st.text("aceilobdkmnpr", min_size=1, max_size=12)


@st.composite
def look_alikes(draw: st.DrawFn) -> tuple[str, str]:
    """Make a name, and another that looks like it."""
    name = draw(letters)
    other = "".join(
        LOOK_ALIKES.get(letter, letter) if draw(st.booleans()) else letter for letter in name
    )
    return name.title(), draw(st.sampled_from([other, other.upper(), " ".join(other)]))


async def refused_names(names: list[tuple[str, str]]) -> list[bool]:
    """Name users of the application, and let guests come who look like them."""
    async with hubbub.open("memory://") as hub:
        gateway = gateway_of(hub)
        for number, (name, _) in enumerate(names):
            await sign_in(gateway, token=f"{number}:user:{name}")
        return [is_refused(await sign_in(gateway, nickname=other)) for _, other in names]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@settings(max_examples=20)
@given(names=st.lists(look_alikes(), min_size=1, max_size=20))
def test_no_guest_looks_like_a_user_of_the_application(
    backend: Literal["asyncio", "trio"], names: list[tuple[str, str]]
) -> None:
    refused = run_in_virtual_time(refused_names, names, backend=backend)

    assert all(refused)
