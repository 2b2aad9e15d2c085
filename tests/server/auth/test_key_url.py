"""Keys at a URL: how they rotate, how long they last, and what a provider that fails costs."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import anyio
import httpx2
import pytest
from anyio import to_thread

import hubbub
from hubbub.clock import SystemClock
from hubbub.errors import Invalid
from hubbub.server import Gateway, JwtAuthenticator
from hubbub.server.auth import key_url
from hubbub.server.auth.key_url import (
    FETCH_SECONDS_MAX,
    KEYS_SECONDS,
    KEYS_SECONDS_MAX,
    KEYS_SECONDS_MIN,
    REFETCH_SECONDS_MIN,
    STALE_SECONDS_MAX,
    lifetime,
)
from hubbub.server.auth.keys import KEYS_BYTES_MAX
from hubbub.task_group import open_task_group
from tests.blackbox.served import Backend, served
from tests.server.auth.provider import Provider, providing
from tests.server.memory_socket import Client
from tests.session.worlds import SetClock

AGE_MAX = 600.0
PATIENCE = 5.0


class World(NamedTuple):
    """A provider, and an authenticator that gets its keys there."""

    provider: Provider
    clock: SetClock
    reads: JwtAuthenticator

    async def user(self, key_id: str) -> str | None:
        """Return the user that a token of this key names."""
        identity = await self.reads(self.provider.token(key_id, self.clock))
        return None if identity is None else identity.user


@asynccontextmanager
async def world(*key_ids: str) -> AsyncIterator[World]:
    """Run a provider, and make an authenticator."""
    async with providing(*key_ids) as provider:
        clock = SetClock()
        yield World(provider, clock, JwtAuthenticator(provider.url, clock=clock))


async def test_keys_are_fetched_once_for_many_tokens() -> None:
    async with world("one", "two") as it:
        users = [await it.user(one) for one in ("one", "two", "one")]

    assert users == ["ann"] * 3
    assert it.provider.requests == 1


async def test_a_new_key_is_fetched_when_a_token_names_it() -> None:
    async with world("one") as it:
        await it.user("one")
        it.clock.passed += REFETCH_SECONDS_MIN
        it.provider.publish("one", "two")
        both = [await it.user("two"), await it.user("one")]

    assert both == ["ann", "ann"]
    assert it.provider.requests == 2


async def test_a_key_that_was_withdrawn_counts_until_the_lifetime_ends() -> None:
    async with world("one", "two") as it:
        old = it.provider.token("one", it.clock)
        before = await it.reads(old)
        it.provider.publish("two")
        it.clock.passed = AGE_MAX - 600.0 + 30.0
        within = await it.reads(old)
        it.clock.passed = AGE_MAX
        await it.user("two")
        it.provider._private["one"] = it.provider._private["two"]
        after = await it.user("one")

    assert before is not None
    assert within is not None
    assert after is None


async def test_tokens_with_made_up_keys_cause_one_request_in_a_while() -> None:
    async with world("one") as it:
        await it.user("one")
        forged = [
            it.provider.token("one", it.clock, kid=f"made up {number}") for number in range(20)
        ]
        soon = [await it.reads(token) for token in forged]
        it.clock.passed += REFETCH_SECONDS_MIN
        async with open_task_group() as tasks:
            for token in forged:
                tasks.start_soon(it.reads, token)

    assert soon == [None] * 20
    assert it.provider.requests == 2


async def test_a_client_that_goes_away_does_not_cancel_the_request_for_others() -> None:
    async with world("one") as it:
        it.provider.silent = True
        found: list[str | None] = []

        async def sign_in() -> None:
            found.append(await it.user("one"))

        async with open_task_group() as tasks, open_task_group() as going:
            going.start_soon(sign_in)
            await it.provider.asked.wait()
            tasks.start_soon(sign_in)
            going.cancel_scope.cancel()
            it.provider.answers.set()

    assert found == ["ann"]
    assert it.provider.requests == 1


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        ("500 Internal Server Error", "", b""),
        ("302 Found", "Location: http://127.0.0.1/\r\n", b""),
        ("200 OK", "", b"{}"),
        ("200 OK", "", b"<html>"),
        ("200 OK", "Content-Encoding: gzip\r\n", b"x"),
        ("200 OK", "", b" " * (KEYS_BYTES_MAX + 1)),
        ("nonsense", "", b""),
    ],
)
async def test_while_a_fetch_fails_the_keys_from_before_count(
    status: str, headers: str, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with world("one") as it:
        await it.user("one")
        it.provider.status, it.provider.headers, it.provider.body = status, headers, body
        it.clock.passed = AGE_MAX
        users = [await it.user("one") for _ in range(3)]
        requests = it.provider.requests
        it.clock.passed += REFETCH_SECONDS_MIN
        users.append(await it.user("one"))

    assert users == ["ann"] * 4
    assert (requests, it.provider.requests) == (2, 3)
    assert "the server uses those from before" in caplog.text


async def test_keys_that_are_too_old_count_no_more_until_they_are_fetched() -> None:
    async with world("one") as it:
        await it.user("one")
        it.provider.status = "503 Service Unavailable"
        it.clock.passed = AGE_MAX + STALE_SECONDS_MAX - 1.0
        last = await it.user("one")
        it.clock.passed += REFETCH_SECONDS_MIN
        over = await it.user("one")
        it.provider.status = "200 OK"
        it.clock.passed += REFETCH_SECONDS_MIN
        again = await it.user("one")

    assert (last, over, again) == ("ann", None, "ann")


async def test_a_provider_that_does_not_answer_stalls_only_unknown_keys(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(key_url, "FETCH_SECONDS_MAX", 0.3)
    async with (
        world("one") as it,
        hubbub.open("memory://", settings=hubbub.Settings(clock=it.clock)) as hub,
    ):
        gateway = Gateway(hub, it.reads)
        known = Client(gateway)
        await known.ask("session.sign_in", token=it.provider.token("one", it.clock))
        it.provider.silent = True
        it.clock.passed = AGE_MAX
        it.provider.asked = anyio.Event()
        stranger, other = Client(gateway), Client(gateway)
        made_up = it.provider.token("one", it.clock, kid="made up")
        waits = stranger.post("session.sign_in", token=made_up)
        with anyio.fail_after(PATIENCE):
            await it.provider.asked.wait()
        fine = await other.ask("session.sign_in", token=it.provider.token("one", it.clock))
        unanswered = [message for message in stranger.socket.messages if message["id"] == waits]
        refused = await stranger.answer(waits)

    assert fine["result"]["user"]["id"] == "ann"
    assert unanswered == []
    assert refused["error"]["data"]["code"] == "not_allowed"
    assert it.provider.requests == 2
    assert "TimeoutError" in caplog.text


async def test_the_gateway_fetches_the_keys_before_anybody_signs_in() -> None:
    async with world("one") as it, hubbub.open("memory://") as hub:
        Gateway(hub, it.reads)
        with anyio.fail_after(PATIENCE):
            await it.provider.asked.wait()
            while await it.user("one") is None:
                await anyio.lowlevel.checkpoint()

    assert it.provider.requests == 1


async def test_after_the_hub_is_closed_it_still_fetches_by_itself() -> None:
    async with world("one") as it:
        async with hubbub.open("memory://") as hub:
            Gateway(hub, it.reads)
            await it.provider.asked.wait()
        it.clock.passed = AGE_MAX
        user = await it.user("one")

    assert user == "ann"
    assert it.provider.requests == 2


@pytest.mark.parametrize(
    "url",
    [
        "http://issuer.example/keys",
        "ftp://issuer.example/keys",
        "http://127.0.0.1.example/keys",
        "http://localhost@issuer.example/keys",
        "https://",
    ],
)
def test_keys_come_by_https_or_from_this_machine(url: str) -> None:
    with pytest.raises(Invalid):
        JwtAuthenticator(url)


async def test_what_may_be_secret_in_the_url_is_in_no_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with providing("one") as provider:
        provider.status = "401 Unauthorized"
        url = provider.url.replace("://", "://me:planted@") + "?key=planted"
        reads = JwtAuthenticator(url, clock=SetClock())
        await reads(provider.token("one", SetClock()))

    mine = [record.getMessage() for record in caplog.records if record.name == "hubbub.server"]
    assert "HTTP 401" in mine[0]
    assert "planted" not in mine[0]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, KEYS_SECONDS),
        ({"cache-control": "public"}, KEYS_SECONDS),
        ({"cache-control": "public, max-age=600"}, 600.0),
        ({"cache-control": "Max-Age=600", "age": "100"}, 500.0),
        ({"cache-control": "max-age=600", "age": "soon"}, 600.0),
        ({"cache-control": "max-age=0"}, KEYS_SECONDS_MIN),
        ({"cache-control": "no-store, max-age=600"}, KEYS_SECONDS_MIN),
        ({"cache-control": "max-age=9999999999"}, KEYS_SECONDS_MAX),
        ({"cache-control": "s-max-age=5"}, KEYS_SECONDS),
        ({"cache-control": f"max-age={'9' * 5_000}"}, KEYS_SECONDS_MAX),
    ],
)
def test_the_lifetime_is_the_provider_s_within_limits(
    headers: dict[str, str], seconds: float
) -> None:
    assert lifetime(httpx2.Headers(headers)) == seconds


def test_a_sign_in_never_waits_for_long() -> None:
    assert FETCH_SECONDS_MAX < REFETCH_SECONDS_MIN < KEYS_SECONDS_MIN < math.inf


@pytest.mark.timeout(90)
async def test_hubbub_serve_takes_a_url(tmp_path: Path, backend: Backend) -> None:
    async with providing("one") as provider:
        running = ExitStack()
        serving = served(backend, tmp_path, "--jwks", provider.url)
        server = await to_thread.run_sync(running.enter_context, serving)
        address = f"http://127.0.0.1:{server.port}"
        try:
            token = provider.token("one", SystemClock())
            async with hubbub.connect(address, token=token) as ann:
                user = ann.user.id
        finally:
            await to_thread.run_sync(running.close)

    assert user == "ann"
    assert provider.requests == 1
