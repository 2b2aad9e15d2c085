"""The application: what is reached where."""

from __future__ import annotations

import httpx2
from starlette.applications import Starlette
from starlette.routing import Mount

import hubbub
from hubbub.server import Gateway, create_app


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
