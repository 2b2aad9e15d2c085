"""The description of the HTTP interface."""

from __future__ import annotations

from typing import Any

import httpx2
import msgspec
from openapi_spec_validator import validate
from starlette.applications import Starlette
from starlette.routing import Mount, Route

import hubbub
from hubbub.domain import Command, Feature, Service, nothing, query
from hubbub.server import Gateway, create_app
from hubbub.server.http.openapi import openapi
from tests.server.api import api


async def test_it_is_valid() -> None:
    async with api() as (_, http):
        description = (await http.get("/openapi.json")).json()

    validate(description)


async def test_every_route_is_in_it() -> None:
    async with api() as (hub, http):
        described = (await http.get("/openapi.json")).json()["paths"]
        routes = [one for one in create_app(hub).routes if isinstance(one, Route)]

    # The page is for people.
    routes = [route for route in routes if route.include_in_schema]
    assert {route.path for route in routes} == set(described)
    for route in routes:
        verbs = {verb.lower() for verb in route.methods or ()} - {"head"}
        assert verbs == set(described[route.path])


async def test_a_query_has_its_arguments_and_their_defaults() -> None:
    async with api() as (_, http):
        paths = (await http.get("/openapi.json")).json()["paths"]

    parameters = {p["name"]: p for p in paths["/api/chat/history"]["get"]["parameters"]}
    assert set(parameters) == {"room_id", "before", "after", "limit"}
    assert parameters["room_id"]["required"]
    assert parameters["limit"]["schema"]["default"] == 50


async def test_a_body_is_required_if_an_argument_is() -> None:
    async with api() as (_, http):
        paths = (await http.get("/openapi.json")).json()["paths"]
        without = await http.post("/api/users/sign_in")

    def required(path: str) -> bool:
        body = paths[path]["post"]["requestBody"]
        return bool(body["required"])

    assert required("/api/chat/send")
    assert not required("/api/users/update")
    assert not required("/api/users/sign_in")
    assert without.status_code == 200


async def test_a_method_is_described_by_its_docstring() -> None:
    async with api() as (_, http):
        paths = (await http.get("/openapi.json")).json()["paths"]

    assert paths["/api/chat/send"]["post"]["summary"] == "Send a message to a room."
    assert "RateLimited" in paths["/api/chat/send"]["post"]["description"]


async def test_it_says_where_it_is_mounted() -> None:
    async with hubbub.open("memory://") as hub:
        outer = Starlette(routes=[Mount("/live", app=create_app(hub))])
        transport = httpx2.ASGITransport(outer)
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as http:
            description = (await http.get("/live/openapi.json")).json()

    validate(description)
    assert description["servers"] == [{"url": "/live"}]


async def test_it_is_the_same_for_every_application() -> None:
    async with hubbub.open("memory://") as hub:
        first, second = create_app(hub), create_app(hub)

        assert [route.path for route in first.routes] == [route.path for route in second.routes]  # type: ignore[attr-defined]


class Room(msgspec.Struct, frozen=True):
    """A room of a house: chat has one of that name as well."""

    size: int


class ChatCreate(Service):
    """Its method has the same name as one of chat, except for a dot."""

    name = "chat_create"

    @query
    def room(self, at: int) -> Command[Room]:
        """Measure a room."""
        return Command(self.actor.user, nothing, lambda states, events: Room(at))


class House(ChatCreate):
    """Its method is called like no other."""

    name = "house"


async def documents_of(feature: Feature) -> tuple[Any, Any]:
    """Return the descriptions of a hub without a feature, and with it."""
    async with hubbub.open("memory://") as hub:
        before = openapi(Gateway(hub))
    async with hubbub.open("memory://", features=[*hubbub.FEATURES, feature]) as hub:
        return before, openapi(Gateway(hub))


async def test_a_feature_of_your_own_changes_nothing_of_ours() -> None:
    before, after = await documents_of(Feature(name="house", service=House))
    schemas = after["components"]["schemas"]
    [added] = [schemas[name] for name in schemas if name.endswith(".Room")]

    validate(after)
    assert {path: after["paths"][path] for path in before["paths"]} == before["paths"]
    assert {name: schemas[name] for name in before["components"]["schemas"]} == (
        before["components"]["schemas"]
    )
    assert "size" in added["properties"]
    assert "/api/house/room" in after["paths"]


async def test_methods_whose_names_differ_by_a_dot_are_two() -> None:
    _, after = await documents_of(Feature(name="chat_create", service=ChatCreate))

    validate(after)
    assert {"/api/chat_create/room", "/api/chat/create_room"} <= after["paths"].keys()
