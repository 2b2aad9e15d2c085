"""Rules for every request: its origin, its response, and the containment of faults."""

from __future__ import annotations

import base64
import json
import logging
from typing import Any

import httpx2
import msgspec
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

import hubbub
from hubbub import Settings
from hubbub.server import create_app
from hubbub.server.http.containment import Contained
from hubbub.server.http.problem import PATH_CHARS_MAX
from tests.server.api import api

DEEP = "[" * 20_000 + "]" * 20_000


def client_of(handler: Any, settings: Settings) -> httpx2.AsyncClient:
    app = Starlette(
        routes=[Route("/x", handler, methods=["GET", "POST"])],
        middleware=[Middleware(Contained, settings=settings)],
    )
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url="http://hub.example")


async def answer(request: Request) -> Response:
    return Response("ok", headers={"X-Content-Type-Options": "other"})


@pytest.mark.parametrize("path", ["/health", "/openapi.json", "/api/users/online", "/nothing"])
async def test_what_is_answered_is_not_kept_and_not_guessed(path: str) -> None:
    async with api() as (_, http):
        headers = (await http.get(path)).headers

    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"


async def test_the_page_may_be_kept() -> None:
    async with api() as (_, http):
        headers = (await http.get("/")).headers

    assert headers["cache-control"] == "no-cache"
    assert headers.get_list("x-content-type-options") == ["nosniff"]


async def test_what_a_handler_says_itself_stays() -> None:
    async with client_of(answer, Settings()) as http:
        headers = (await http.get("/x")).headers

    assert headers["x-content-type-options"] == "other"


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 200),
        ("http://hub.example", 200),
        ("https://friend.example", 200),
        ("https://evil.example", 403),
        ("null", 403),
    ],
)
async def test_a_page_of_another_site_changes_nothing(origin: str | None, status: int) -> None:
    headers = {} if origin is None else {"Origin": origin}
    settings = Settings(allowed_origins=["https://friend.example"])
    async with client_of(answer, settings) as http:
        posted = await http.post("/x", headers=headers)
        got = await http.get("/x", headers=headers)

    assert (posted.status_code, got.status_code) == (status, 200)


async def test_the_server_answers_to_its_names() -> None:
    settings = Settings(allowed_hosts=["hub.example"])
    async with client_of(answer, settings) as http:
        by_name = await http.get("/x")
        by_another = await http.get("/x", headers={"Host": "evil.example"})

    assert (by_name.status_code, by_another.status_code) == (200, 421)


@pytest.mark.parametrize(
    ("error", "status", "level"),
    [
        (ValueError("secret"), 500, logging.ERROR),
        (MemoryError("secret"), 500, logging.ERROR),
        (ExceptionGroup("secret", [ValueError()]), 500, logging.ERROR),
        (RecursionError("secret"), 400, logging.WARNING),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "secret"), 400, logging.WARNING),
        (hubbub.NotFound("There is none."), 404, None),
    ],
)
async def test_a_fault_is_a_problem_and_logged_once(
    error: Exception, status: int, level: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(request: Request) -> Response:
        raise error

    async with client_of(fail, Settings()) as http:
        shown = await http.get("/x")

    assert shown.status_code == status
    assert shown.headers["content-type"] == "application/problem+json"
    assert "secret" not in shown.text
    assert [r.levelno for r in caplog.records if r.levelno >= logging.WARNING] == (
        [] if level is None else [level]
    )


async def test_a_fault_in_the_middle_of_an_answer_goes_to_the_server() -> None:
    async def fail(request: Request) -> Response:
        async def body() -> Any:
            yield b"half"
            raise ValueError

        return StreamingResponse(body())

    app = Starlette(routes=[Route("/x", fail)], middleware=[Middleware(Contained, Settings())])
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://a") as http:
        with pytest.raises((ValueError, ExceptionGroup)):
            await http.get("/x")


@pytest.mark.parametrize(
    "body",
    [
        DEEP,
        '{"a":' * 10_000,
        f'{{"nickname":{DEEP}}}',
        f'{{"x":{DEEP}}}',
        "1" * 5_000,
        '"\\ud800"',
        "\x00",
        '{"name":"x","password":"\\ud800aaaaaaaa"}',
    ],
)
async def test_a_body_that_nobody_could_mean_is_refused(
    body: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with api() as (_, http):
        token = await api_token(http)
        for path, headers in (
            ("/api/users/sign_in", {}),
            ("/api/chat/create_room", token),
            ("/api/chat/create_room", {**token, "Idempotency-Key": "k"}),
        ):
            status = (await http.post(path, content=body, headers=headers)).status_code
            assert 400 <= status < 500

    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_token_that_nobody_could_mean_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","x":' + DEEP.encode() + b"}").decode()
    numbers = base64.urlsafe_b64encode(b'{"alg":"HS256","x":' + b"1" * 5_000 + b"}").decode()
    async with api() as (_, http):
        for token in (f"{header}.e30.AAAA", f"{numbers}.e30.AAAA", "..", "a.b.c"):
            headers = {"Authorization": f"Bearer {token}"}
            assert (await http.get("/api/users/online", headers=headers)).status_code == 401
            body = json.dumps({"token": token})
            assert (await http.post("/api/users/sign_in", content=body)).status_code in (401, 413)

    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_host_that_is_none_is_no_fault_of_ours() -> None:
    async with hubbub.open("memory://") as hub:
        transport = httpx2.ASGITransport(create_app(hub))
        async with httpx2.AsyncClient(transport=transport, base_url="http://a") as http:
            answers = [
                await http.get(path, headers={"Host": "[::1"})
                for path in ("/nothing", "/health", "/api/events", "/metrics")
            ]

    assert [answer.status_code for answer in answers] == [404, 200, 401, 401]


async def test_of_a_long_path_only_the_start_is_repeated() -> None:
    async with api() as (_, http):
        detail = (await http.get("/" + "a" * 10_000)).json()["detail"]

    assert len(detail) < PATH_CHARS_MAX + 100


async def api_token(http: httpx2.AsyncClient) -> dict[str, str]:
    answer = await http.post("/api/users/sign_in", json={"nickname": "ann"})
    return {"Authorization": f"Bearer {msgspec.json.decode(answer.content)['token']}"}
