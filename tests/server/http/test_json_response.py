"""Results that an application's own routes return."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import hubbub
from hubbub import Money
from hubbub.server import JSONResponse
from tests.server.api import http_of


async def test_a_route_returns_results_as_our_own_interface_does() -> None:
    async with hubbub.open("memory://") as hub, hub.session("ann", nickname="Ann") as ann:

        async def everything(request: Request) -> Response:
            room = await ann.chat.create_room("Lobby")
            return JSONResponse({"rooms": [room], "user": ann.user, "price": Money(100, "USD")})

        async with http_of(Starlette(routes=[Route("/", everything)])) as http:
            answer = await http.get("/")

    body = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert body["rooms"][0]["members"] == ["ann"]
    assert body["user"]["nickname"] == "Ann"
    assert body["price"] == {"amount": 100, "currency": "USD"}


async def test_it_takes_what_starlette_s_own_takes() -> None:
    answer = JSONResponse({"a": [1, None]}, 201, {"X-One": "1"})

    assert (answer.status_code, answer.body) == (201, b'{"a":[1,null]}')
    assert answer.headers["x-one"] == "1"
