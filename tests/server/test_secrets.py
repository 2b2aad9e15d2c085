"""No secret reaches a log, a message of an error, or what `repr` shows."""

from __future__ import annotations

import logging
from pathlib import Path

import anyio
import httpx2
import msgspec
import pytest

import hubbub
from hubbub import Money, Settings
from hubbub.errors import NotAllowed
from hubbub.server.auth.sign_in import SignIn
from hubbub.server.auth.tickets import EventTicket, Visit
from hubbub.server.auth.tokens import Identity
from hubbub.shop.stripe import Stripe
from hubbub.users.account import AccountState
from hubbub.users.accounts import Verified
from hubbub.users.events import AccountCreated, PasswordSet
from hubbub.wire.messages import Incoming, Outgoing, SignInResult
from tests.blackbox.applications import application
from tests.blackbox.secrets import METRICS_TOKEN, SECRET, plant
from tests.blackbox.served import Backend, served
from tests.server.running import running

TEST_SECONDS_MAX = 90

APPLICATION = """
    import uvicorn
    uvicorn.run(app, port=0, log_level="debug", ws={ws!r})
"""


def leaked(secrets: object, text: str) -> list[str]:
    assert isinstance(secrets, list)
    return [secret for secret in secrets if secret in text]


@pytest.mark.timeout(TEST_SECONDS_MAX)
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_no_secret_is_in_the_log_of_the_server(backend: Backend, tmp_path: Path) -> None:
    environment = {"HUBBUB_SECRET": SECRET, "HUBBUB_METRICS_TOKEN": METRICS_TOKEN}
    options = ("--log-level", "debug", "--access-log")
    with served(backend, tmp_path, *options, environment=environment) as server:
        address = f"http://127.0.0.1:{server.port}"
        planted = anyio.run(plant, address, backend=backend)
        server.stop()
        log = server.log

    assert "wrong password for" in log
    assert "GET /api/events?" in log
    assert leaked(planted, log) == []


async def test_no_secret_is_in_the_log_of_the_client(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with running() as server:
        async with hubbub.connect(server.address, nickname="Ann") as ann:
            await ann.users.create_account("Ann", "planted-password-1")
            given = ann.token
        with pytest.raises(NotAllowed) as refused:
            async with hubbub.connect(server.address, token="planted.forged.token"):
                pass

    assert "GET http://127.0.0.1" in caplog.text
    assert given is not None
    assert leaked([given, "planted"], caplog.text + str(refused.value) + repr(ann)) == []


@pytest.mark.timeout(TEST_SECONDS_MAX)
@pytest.mark.parametrize("ws", ["websockets", "websockets-sansio"])
def test_no_secret_is_in_the_log_of_an_application_under_uvicorn(tmp_path: Path, ws: str) -> None:
    settings = f"secret={SECRET!r}, metrics_token={METRICS_TOKEN!r}"
    with application(tmp_path, APPLICATION.format(ws=ws), settings) as app:
        planted = anyio.run(plant, app.address, "/live")
    text = app.log

    assert "GET /live/api/events?stream=index%2Frooms&after=0&ticket=" in text
    assert "wrong password for" in text
    assert leaked(planted, text) == []


async def test_stripe_s_key_is_in_no_log_and_no_error(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key = "sk_test_planted"

    def refuse(request: httpx2.Request) -> httpx2.Response:
        assert request.headers["authorization"] == f"Bearer {key}"
        return httpx2.Response(401, json={"error": {"message": "Invalid API Key"}})

    stripe = Stripe(key, transport=httpx2.MockTransport(refuse))
    with pytest.raises(Exception, match=r".") as raised:
        await stripe.authorize("order-1", Money(100, "USD"), "pm_card_visa")

    assert key not in caplog.text + str(raised.value) + repr(raised.value) + repr(stripe)


SHOWN = [
    Settings(secret="planted", metrics_token="planted"),
    SignIn("planted", "Ann", "planted", "Ann", "planted"),
    SignInResult(msgspec.Raw(b"{}"), "planted", "journal", "planted"),
    Incoming(params=msgspec.Raw(b'{"password":"planted"}'), result=msgspec.Raw(b'"planted"')),
    Outgoing(params={"password": "planted"}, result="planted"),
    EventTicket("planted", 30),
    Visit(Identity("ann"), ("name", "planted"), 900),
    AccountCreated("ann", "Ann", "planted"),
    PasswordSet("planted"),
    AccountState("ann", "planted"),
    Verified("account/ann", "ann", "planted", 0),
]


@pytest.mark.parametrize("struct", SHOWN, ids=lambda struct: type(struct).__name__)
def test_what_repr_shows_has_no_secret(struct: msgspec.Struct) -> None:
    assert "planted" not in repr(struct)
    assert "***" in repr(struct)
    assert type(struct).__name__ in repr(struct)


def test_what_is_not_set_is_shown_as_not_set() -> None:
    assert "secret=None" in repr(Settings())
