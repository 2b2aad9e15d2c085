"""Every request, by WebSocket or by HTTP, gets a response, and never an internal error."""

from __future__ import annotations

import json
from typing import Any, Literal, NamedTuple

import anyio
import httpx2
import msgspec
from hypothesis import given
from hypothesis import strategies as st

import hubbub
from hubbub.chat.service import Chat
from hubbub.method import Method
from hubbub.server import Gateway, create_app
from hubbub.service import methods_of
from hubbub.users.service import Users
from tests.server.memory_socket import Client
from tests.server.running import SETTINGS

Backend = Literal["asyncio", "trio"]

METHODS = {**methods_of(Chat), **methods_of(Users)}
# After these a token is good no more.
ENDING = ("users.sign_out", "users.change_password")
STAYING = {name: method for name, method in METHODS.items() if name not in ENDING}
QUERIES = {name: method for name, method in METHODS.items() if not method.changes}
INTERNAL_ERROR = -32603

# They stand for what there is when the request is made.
ROOM, ANN, BOB = "<room>", "<ann>", "<bob>"
words = st.sampled_from([ROOM, ROOM, ANN, BOB, "", "moderator", "😀", "null", "7"]) | st.text()
VALUES: dict[Any, st.SearchStrategy[Any]] = {
    str: words,
    int: st.integers(-2, 9) | st.integers(),
    float: st.integers(0, 9) | st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    list[str]: st.lists(words, max_size=3),
    str | None: words,
    int | None: st.integers(-2, 9) | st.integers(),
}


class Request(NamedTuple):
    """A method and its arguments."""

    method: str
    arguments: dict[str, Any]


@st.composite
def requests(draw: st.DrawFn, methods: dict[str, Method]) -> Request:
    """Make a request whose arguments have the right types, and seldom the right values."""
    method = methods[draw(st.sampled_from(sorted(methods)))]
    arguments = {
        field.name: draw(VALUES[field.type])
        for field in msgspec.structs.fields(method.arguments)
        if field.required or draw(st.booleans())
    }
    return Request(method.name, arguments)


@given(asked=st.lists(requests(METHODS), max_size=12))
def test_by_websocket(backend: Backend, asked: list[Request]) -> None:
    anyio.run(by_websocket, asked, backend=backend)


@given(asked=st.lists(requests(METHODS), max_size=12))
def test_by_http(backend: Backend, asked: list[Request]) -> None:
    anyio.run(by_http, asked, backend=backend)


@given(before=st.lists(requests(STAYING), max_size=6), asked=requests(QUERIES))
def test_a_query_has_the_same_result_by_both(
    backend: Backend, before: list[Request], asked: Request
) -> None:
    anyio.run(by_both, before, asked, backend=backend)


async def by_websocket(asked: list[Request]) -> None:
    async with hubbub.open("memory://", settings=SETTINGS) as hub:
        world = await World.begin(hub)
        answers = [await world.ask(request) for request in asked]

    assert INTERNAL_ERROR not in [answer.get("error", {}).get("code") for answer in answers]


async def by_http(asked: list[Request]) -> None:
    async with hubbub.open("memory://", settings=SETTINGS) as hub:
        world = await World.begin(hub)
        answers = [await world.request(request) for request in asked]

    assert [answer.status_code for answer in answers if answer.status_code >= 500] == []
    assert all(answer.status_code == 200 or answer.json()["code"] for answer in answers)


async def by_both(before: list[Request], asked: Request) -> None:
    async with hubbub.open("memory://", settings=SETTINGS) as hub:
        world = await World.begin(hub)
        for request in before:
            await world.ask(request)
        answer, response = await world.ask(asked), await world.request(asked)

    if response.status_code == 200:
        assert answer["result"] == response.json()
    else:
        assert answer["error"]["data"]["code"] == response.json()["code"]


class World(NamedTuple):
    """Ann, by either way, in a room with Bob."""

    ann: Client
    http: httpx2.AsyncClient
    names: dict[str, str]

    @classmethod
    async def begin(cls, hub: hubbub.Hubbub) -> World:
        """Let them sign in and meet."""
        gateway = Gateway(hub)
        ann, bob = Client(gateway), Client(gateway)
        signed_in = (await ann.ask("session.sign_in", nickname="Ann"))["result"]
        other = (await bob.ask("session.sign_in", nickname="Bob"))["result"]
        room = (await ann.ask("chat.create_room", name="Room"))["result"]
        await bob.ask("chat.join", room_id=room["id"])
        await ann.ask("chat.send", room_id=room["id"], text="hi")
        names = {ROOM: room["id"], ANN: signed_in["user"]["id"], BOB: other["user"]["id"]}
        http = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(create_app(hub, gateway=gateway)),
            base_url="http://test",
            headers={"Authorization": f"Bearer {signed_in['token']}"},
        )
        return cls(ann, http, names)

    async def ask(self, request: Request) -> Any:
        """Ask by WebSocket."""
        method, arguments = self.filled(request)
        return await self.ann.ask(method, **arguments)

    async def request(self, request: Request) -> httpx2.Response:
        """Ask by HTTP."""
        method, arguments = self.filled(request)
        path = "/api/" + method.replace(".", "/")
        if METHODS[method].changes:
            return await self.http.post(path, content=json.dumps(arguments))
        return await self.http.get(path, params=arguments)

    def filled(self, request: Request) -> Request:
        """Put in what the names stand for."""
        filled = {
            name: [self.names.get(item, item) for item in value]
            if isinstance(value, list)
            else self.names.get(value, value)
            if isinstance(value, str)
            else value
            for name, value in request.arguments.items()
        }
        return Request(request.method, filled)
