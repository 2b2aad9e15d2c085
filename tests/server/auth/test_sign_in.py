"""Signing in: with tokens of ours and of the application's, with passwords, as a guest."""

from __future__ import annotations

import anyio
import pytest

import hubbub
from hubbub import Settings
from hubbub.errors import NotAllowed
from hubbub.server import Gateway, Identity, create_app
from tests.server.api import http_of
from tests.server.memory_socket import Client, session_of

PASSWORD = "correct horse"


async def of_the_application(token: str) -> Identity | None:
    """Know two users, by tokens of the application's own."""
    known = {"ann's": Identity("ann", nickname="Ann"), "root's": Identity("root", "admin")}
    return known.get(token)


async def test_a_token_of_the_application_s_lets_its_user_in() -> None:
    async with hubbub.open("memory://") as hub:
        client = Client(Gateway(hub, of_the_application))
        answer = (await client.ask("session.sign_in", token="ann's"))["result"]

    assert (answer["user"]["id"], answer["user"]["nickname"]) == ("ann", "Ann")
    assert answer["refresh_token"] is None


async def test_a_role_of_the_application_s_counts() -> None:
    async with hubbub.open("memory://") as hub:
        client = Client(Gateway(hub, of_the_application))
        answer = (await client.ask("session.sign_in", token="root's"))["result"]
        stats = await client.ask("operations.stats")

    assert answer["role"] == "admin"
    assert "result" in stats


async def test_a_token_that_nobody_knows_is_refused_and_the_next_may_be_good() -> None:
    async with hubbub.open("memory://") as hub:
        client = Client(Gateway(hub, of_the_application))
        refused = await client.ask("session.sign_in", token="eve's")
        fine = await client.ask("session.sign_in", token="ann's")

    assert refused["error"]["data"]["code"] == "not_allowed"
    assert "result" in fine


async def test_what_comes_behind_a_slow_sign_in_waits_for_it() -> None:
    go = anyio.Event()

    async def slow(token: str) -> Identity | None:
        await go.wait()
        return Identity("ann")

    async with hubbub.open("memory://") as hub:
        client = Client(Gateway(hub, slow))
        client.post("session.sign_in", token="ann's")
        number = client.post("chat.rooms")
        await anyio.lowlevel.checkpoint()
        before = list(client.socket.messages)
        go.set()
        rooms = await client.answer(number)

    assert before == []
    assert rooms["result"] == []


async def test_who_goes_during_a_slow_sign_in_is_not_connected() -> None:
    go = anyio.Event()

    async def slow(token: str) -> Identity | None:
        await go.wait()
        return Identity("ann")

    async with hubbub.open("memory://") as hub:
        gateway = Gateway(hub, slow)
        client, bob = Client(gateway), Client(gateway)
        client.post("session.sign_in", token="ann's")
        await anyio.lowlevel.checkpoint()
        client.connection.release()
        go.set()
        await bob.ask("session.sign_in", nickname="Bob")
        online = (await bob.ask("users.online"))["result"]

    assert [user["nickname"] for user in online] == ["Bob"]


async def test_an_authenticator_that_fails_is_an_internal_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken(token: str) -> Identity | None:
        raise OSError("the users' database is down")

    async with hubbub.open("memory://") as hub:
        client = Client(Gateway(hub, broken))
        answer = await client.ask("session.sign_in", token="ann's")

    assert answer["error"]["code"] == -32603
    assert "the users' database is down" in caplog.text


async def test_requests_may_come_with_a_token_of_the_application_s() -> None:
    async with hubbub.open("memory://") as hub:
        app = create_app(hub, authenticator=of_the_application)
        async with http_of(app) as http:
            good, bad = [
                await http.get("/api/chat/rooms", headers={"Authorization": f"Bearer {token}"})
                for token in ("ann's", "eve's")
            ]

    assert (good.status_code, bad.status_code) == (200, 401)


async def test_who_only_makes_requests_is_known_by_the_first() -> None:
    async with hubbub.open("memory://") as hub:
        app = create_app(hub, authenticator=of_the_application)
        async with http_of(app) as http:
            headers = {"authorization": "Bearer ann's"}
            first = await http.get("/api/users/get", params={"user_id": "ann"}, headers=headers)
            profile = {"nickname": "Annie"}
            await http.post("/api/users/update", json=profile, headers=headers)
            later = await http.get("/api/users/get", params={"user_id": "ann"}, headers=headers)

    assert first.json()["nickname"] == "Ann"
    # What one has chosen since stays, whatever the token says.
    assert later.json()["nickname"] == "Annie"


async def test_a_refresh_token_is_for_signing_in_only() -> None:
    async with hubbub.open("memory://") as hub, http_of(create_app(hub)) as http:
        first = (await http.post("/api/users/sign_in", json={"nickname": "Ann"})).json()
        headers = {"Authorization": f"Bearer {first['refresh_token']}"}
        refused = await http.get("/api/chat/rooms", headers=headers)
        token = {"token": first["refresh_token"]}
        second = (await http.post("/api/users/sign_in", json=token)).json()

    assert refused.status_code == 401
    assert second["user"]["id"] == first["user"]["id"]
    assert second["refresh_token"] != first["refresh_token"]


async def test_an_access_token_makes_none_that_is_good_for_longer() -> None:
    async with hubbub.open("memory://") as hub, http_of(create_app(hub)) as http:
        first = (await http.post("/api/users/sign_in", json={"nickname": "Ann"})).json()
        second = await http.post("/api/users/sign_in", json={"token": first["token"]})

    assert second.json()["user"]["id"] == first["user"]["id"]
    assert second.json()["token"] == first["token"]
    assert second.json()["refresh_token"] is None


async def test_nor_does_a_token_of_the_application_s() -> None:
    async with hubbub.open("memory://") as hub:
        expires = hub.settings.clock.now().timestamp() + 10

        async def for_ten_seconds(token: str) -> Identity:
            return Identity("ann", expires=expires)

        gateway = Gateway(hub, for_ten_seconds)
        answer = (await Client(gateway).ask("session.sign_in", token="ann's"))["result"]

    assert gateway.tokens.verify(answer["token"]).expires <= expires


async def test_a_request_after_signing_out_is_refused() -> None:
    async with hubbub.open("memory://") as hub, http_of(create_app(hub)) as http:
        first = (await http.post("/api/users/sign_in", json={"nickname": "Ann"})).json()
        headers = {"Authorization": f"Bearer {first['token']}"}
        out = await http.post("/api/users/sign_out", json={}, headers=headers)
        after = await http.get("/api/chat/rooms", headers=headers)
        again = await http.post("/api/users/sign_in", json={"token": first["refresh_token"]})

    assert out.status_code == 200
    assert (after.status_code, again.status_code) == (401, 401)


async def test_a_name_needs_a_password() -> None:
    async with hubbub.open("memory://") as hub, http_of(create_app(hub)) as http:
        answer = await http.post("/api/users/sign_in", json={"name": "Ann"})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


async def test_one_address_has_few_attempts_on_many_accounts() -> None:
    settings = Settings(password_attempts=1)
    async with hubbub.open("memory://", settings=settings) as hub:
        async with hub.session("ann") as ann:
            await ann.users.create_account("ann", PASSWORD)
        async with http_of(create_app(hub)) as http:
            answers = [
                await http.post("/api/users/sign_in", json={"name": name, "password": "x"})
                for name in ("ann", "ann", *(f"user {number}" for number in range(9)))
            ]

    codes = [answer.json()["code"] for answer in answers]
    assert codes[:2] == ["not_allowed", "rate_limited"]
    assert codes[-1] == "rate_limited"
    assert int(answers[-1].headers["retry-after"]) > 0


async def test_guests_from_one_address_make_few_accounts() -> None:
    settings = Settings(password_attempts=1)
    async with hubbub.open("memory://", settings=settings) as hub:
        gateway = Gateway(hub)
        codes = []
        for number in range(11):
            client = Client(gateway)
            await client.ask("session.sign_in", nickname="Guest")
            account = {"name": f"guest {number}", "password": "short"}
            answer = await client.ask("users.create_account", **account)
            codes.append(answer["error"]["data"]["code"])

    # Ten times as often as one account may be tried.
    assert codes == [*(["invalid"] * 10), "rate_limited"]


async def test_a_socket_is_told_why_it_is_closed() -> None:
    async with hubbub.open("memory://") as hub:
        gateway = Gateway(hub)
        client, beside, other = Client(gateway), Client(gateway), Client(gateway)
        token = (await client.ask("session.sign_in", nickname="Ann"))["result"]["refresh_token"]
        await beside.ask("session.sign_in", token=token)
        await other.ask("session.sign_in", nickname="Bob")
        answer = await client.ask("users.sign_out")

    assert answer["result"] is None
    assert client.socket.closed == beside.socket.closed == (3501, "You have signed out.")
    assert other.socket.closed is None


async def test_a_given_role_is_not_lowered_and_an_own_one_counts() -> None:
    async with hubbub.open("memory://") as hub, hub.session("root", role="admin") as root:
        async with hub.session("ann", role="moderator") as ann:
            await root.users.set_role("ann", "user")
            given = ann.actor.role  # type: ignore[attr-defined]
        await root.users.set_role("ann", "admin")
        async with hub.session("ann") as ann:
            own = ann.actor.role  # type: ignore[attr-defined]

    assert (given, own) == ("moderator", "admin")


async def test_who_has_signed_out_does_not_come_in_by_an_older_token() -> None:
    async with hubbub.open("memory://") as hub:
        gateway = Gateway(hub)
        token = gateway.tokens.sign("ann")
        async with hub.session("ann") as ann:
            await ann.users.sign_out(everywhere=True)
        with pytest.raises(NotAllowed, match="signed out"):
            await session_of(gateway, token)
        newer = await session_of(gateway, gateway.tokens.sign("ann"))

    assert newer.actor.user == "ann"
