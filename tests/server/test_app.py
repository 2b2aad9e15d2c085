"""The application: what is reached where."""

from __future__ import annotations

import httpx2
from starlette.applications import Starlette
from starlette.routing import Mount

import hubbub
from hubbub.server import Gateway, create_app
from hubbub.testing import in_memory
from tests.server.api import http_of


async def test_it_mounts_into_another_application() -> None:
    async with hubbub.open("memory://") as hub:
        transport = httpx2.ASGITransport(Starlette(routes=[Mount("/live", app=create_app(hub))]))
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as http:
            health = await http.get("/live/health")
            unknown = await http.get("/live/nothing")

    assert health.json()["status"] == "ok"
    assert unknown.headers["content-type"] == "application/problem+json"


async def test_it_shares_a_gateway_that_it_is_given() -> None:
    async with hubbub.open("memory://") as hub:
        gateway = Gateway(hub)

        assert create_app(hub, gateway=gateway).state.gateway is gateway
        assert create_app(hub).state.gateway is not gateway


async def test_without_the_page_everything_else_is_as_before() -> None:
    paths = ("/", "/admin", "/web/core/app.js", "/health", "/openapi.json")
    async with hubbub.open("memory://") as hub:
        async with http_of(create_app(hub)) as http:
            whole = [(await http.get(path)).status_code for path in paths]
        async with http_of(create_app(hub, page=False)) as http:
            bare = [(await http.get(path)).status_code for path in paths]
            signed_in = await http.post("/api/users/sign_in", json={"nickname": "Ann"})
        dialer = in_memory(create_app(hub, page=False))
        async with hubbub.connect("http://test", dialer=dialer, nickname="Bob") as bob:
            nickname = bob.user.nickname

    assert whole == [200] * 5
    assert bare == [404, 404, 404, 200, 200]
    assert signed_in.status_code == 200
    assert nickname == "Bob"
