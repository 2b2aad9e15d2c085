"""The description of the HTTP interface, generated from the registry: OpenAPI 3.1."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from ...users.user import User
from ..auth.sign_in import SignIn
from ..auth.tickets import EventTicket
from ..gateway import Gateway, Route
from .problem import Problem

__all__ = ["openapi"]

Json = dict[str, Any]

REF = "#/components/schemas/{name}"


class SignInResponse(msgspec.Struct, frozen=True):
    """
    The user who signed in, their access token, and the journal that it is for.

    The ``refresh_token`` signs in later; it is null if you signed in with an access token, or
    with a token of the application's.
    """

    user: User
    token: str
    journal_id: str
    refresh_token: str | None
    role: Literal["user", "moderator", "admin"]
    account: str | None


def openapi(gateway: Gateway) -> Json:
    """Describe every route of a gateway."""
    routes = list(gateway.routes.items())
    types: list[Any] = [SignIn, SignInResponse, EventTicket, Problem]
    for _, route in routes:
        types += [route.method.arguments, route.method.result]
    schemas, components = msgspec.json.schema_components(types, ref_template=REF)
    paths = _other_paths(schemas[0], schemas[1]) | _events_paths(schemas[2])
    for number, (name, route) in enumerate(routes):
        arguments, result = schemas[4 + 2 * number], schemas[5 + 2 * number]
        operation = _operation(name, route, arguments, result, components)
        verb = "post" if route.method.changes else "get"
        paths["/api/" + name.replace(".", "/")] = {verb: operation}
    paths, components = _with_short_names(paths, components)
    schemes = {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "ticket": {"type": "apiKey", "in": "query", "name": "ticket"},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Hubbub", "version": "1"},
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": schemes},
    }


def _with_short_names(paths: Json, components: Json) -> tuple[Json, Json]:
    """
    Call our own types by their own names.

    If an application's type has the same name, only that type has a longer one: a client that is
    generated from this must not change because an application adds a feature.
    """
    text = msgspec.json.encode([paths, components])
    for name in components:
        if name.startswith("hubbub."):
            short = name.rpartition(".")[2]
            for given in (REF.format(name="{}") + '"', '"{}":'):
                text = text.replace(given.format(name).encode(), given.format(short).encode())
    paths, components = msgspec.json.decode(text)
    return paths, components


def _operation(name: str, route: Route, arguments: Json, result: Json, components: Json) -> Json:
    summary, _, description = route.method.doc.partition("\n")
    operation: Json = {
        "operationId": name,
        "tags": [route.service],
        "summary": summary,
        "description": description.strip(),
        "responses": _responses("The result.", _content(result)),
    }
    if route.method.changes:
        operation["requestBody"] = _body(arguments, components)
    else:
        schema = _schema_of(arguments, components)
        required = schema.get("required", [])
        operation["parameters"] = [
            {"name": field, "in": "query", "required": field in required, "schema": about}
            for field, about in schema["properties"].items()
        ]
    if route.method.keyed:
        key = {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string"}}
        operation.setdefault("parameters", []).append(key)
    return operation


def _body(arguments: Json, components: Json) -> Json:
    # Without a body, every argument has its default.
    required = bool(_schema_of(arguments, components).get("required"))
    return {"required": required, "content": _content(arguments)}


def _schema_of(arguments: Json, components: Json) -> Json:
    schema: Json = components[arguments["$ref"].removeprefix(REF.format(name=""))]
    return schema


def _other_paths(sign_in: Json, signed_in: Json) -> Json:
    return {
        "/api/users/sign_in": {
            "post": {
                "operationId": "users.sign_in",
                "tags": ["users"],
                "summary": "Sign in with a name and a password, as a guest, or again with a token.",
                "security": [],
                # Without a body, it signs in a guest.
                "requestBody": {"required": False, "content": _content(sign_in)},
                "responses": _responses("The user and the tokens.", _content(signed_in)),
            }
        },
        "/health": {
            "get": {
                "operationId": "health",
                "summary": "Tell whether the server takes commands.",
                "security": [],
                "responses": _responses("It does.", _content({"type": "object"})),
            }
        },
        "/openapi.json": {
            "get": {
                "operationId": "openapi",
                "summary": "Get this description.",
                "security": [],
                "responses": _responses("The description.", _content({"type": "object"})),
            }
        },
    }


def _events_paths(ticket: Json) -> Json:
    text = {"type": "string"}
    parameters = [
        {"name": "stream", "in": "query", "required": True, "schema": text},
        {"name": "after", "in": "query", "schema": {"type": "integer", "minimum": 0}},
        {"name": "journal_id", "in": "query", "schema": text},
        {"name": "Last-Event-ID", "in": "header", "schema": text},
    ]
    return {
        "/api/events": {
            "get": {
                "operationId": "events",
                "tags": ["session"],
                "summary": "Follow a stream: its events as server-sent events, the id is the seq.",
                # A browser cannot send the header here, and gives a ticket instead.
                "security": [{"bearer": []}, {"ticket": []}],
                "parameters": parameters,
                "responses": _responses("Events.", {"text/event-stream": {"schema": text}}),
            }
        },
        "/api/events/ticket": {
            "post": {
                "operationId": "events.ticket",
                "tags": ["session"],
                "summary": "Get a ticket, with which a browser follows a stream once.",
                "responses": _responses("The ticket.", _content(ticket)),
            }
        },
    }


def _responses(description: str, content: Json) -> Json:
    problem = {"$ref": REF.format(name="Problem")}
    return {
        "200": {"description": description, "content": content},
        "default": {
            "description": "The problem, and the way to solve it.",
            "content": {"application/problem+json": {"schema": problem}},
        },
    }


def _content(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}
