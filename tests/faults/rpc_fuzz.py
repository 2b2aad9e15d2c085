"""
Requests with nasty arguments, drawn from a seed, for every method that the server offers.

No I/O: what was learnt from the answers is handed in, so that many requests hit something.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final, NamedTuple

__all__ = ["NASTY", "SESSION_METHODS", "Learnt", "Method", "arguments_of", "encoded", "methods_of"]

DEEP: Final[Any] = json.loads('{"a":' * 150 + "1" + "}" * 150)

NASTY: Final[Sequence[Any]] = (
    # Nothing, and what is taken for something.
    *(None, True, False, "", " ", [], {}, [[]], [None], {"": 1}, {"a": None}, DEEP),
    # Numbers at every edge.
    *(0, 1, -1, 2**31, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64, 2**70, -(2**63), -(2**63) - 1),
    *(10**400, 0.5, -0.0, 1e308, 5e-324, 1.0, 1e16),
    # Text that shows nothing, shows too much, or is none.
    *("\0", "a\0b", "\u202e", "\u200d", "\u200b", "\ud7ff", "\ufeff", "\uffff", "\U0010ffff"),
    *("a" * 101, "a" * 201, "a" * 60_000, "é" * 4_000, "\u0301" * 500, "\ufdfa" * 300, "\u3164"),
    *("'", '"', "`", "%", "*", "\\", "<script>", "${x}", "__class__", "NaN", "1e999", "null"),
    *("👍", "👍\ufe0f", "👨‍👩‍👧‍👦", "🇩🇪", "上海"),
    # Names of streams and files that are not there, or not the caller's.
    *("../..", "/", "//", "a/b", "room/", "direct/", "direct/a/b", "direct//", "user/", "/hub"),
    *("index/rooms", "agenda/orders", "board/main", "match/x", "cart/x", "account/root", "main"),
    # Words that the shop and the games know.
    *("1", "en_US", "USD", "XXX", "DE", "pm_card_visa", "pm_card_late", "pm_card_timeout"),
    *("2026-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"),
    *("* * * * *", "0 0 29 2 *", "0 0 30 2 *", "*/0 * * * *", "99999999999 * * * *"),
    *("best", "sum", "latest", "asc", "desc", "moderator", "admin", "user", "active", "completed"),
    *({"amount": 1, "currency": "USD"}, {"amount": 2**53, "currency": "JPY"}),
    *({"amount": "1.5", "currency": "USD"}, {"amount": -1, "currency": "USD"}),
    *({"type": "first_to", "points": 1}, {"type": "best_of", "rounds": 1}, {"type": "x"}),
    *({"type": "timed", "seconds": 0.01}, {"type": "timed", "seconds": 1e308}),
    *({"type": "custom", "game": "arithmetic", "options": {}},),
    *({"type": "custom", "game": "arithmetic", "options": {"a": 2**64, "b": DEEP}},),
    ["a"] * 65,
)

# What a name in the arguments is called in what is learnt.
_IDS: Final[Mapping[str, str]] = {
    "room": "room_id",
    "match": "match_id",
    "order": "order_id",
    "product": "sku",
    "board": "board",
}
LEARNT_MAX: Final = 30


class Method(NamedTuple):
    """A method, and the schema of each argument; the required arguments."""

    name: str
    changes: bool
    schemas: Mapping[str, Any]
    required: frozenset[str]


_STRING: Final = {"type": "string"}
_INTEGER: Final = {"type": "integer"}

# They are of the WebSocket alone, so /openapi.json does not have them.
SESSION_METHODS: Final = (
    Method("session.follow", False, {"stream": _STRING, "after": _INTEGER}, frozenset({"stream"})),
    Method("session.unfollow", False, {"stream": _STRING}, frozenset({"stream"})),
    Method(
        "session.read",
        False,
        {"stream": _STRING, "after": _INTEGER, "limit": _INTEGER},
        frozenset({"stream"}),
    ),
    Method("session.cancel", False, {"id": _INTEGER}, frozenset({"id"})),
    Method(
        "session.sign_in",
        False,
        dict.fromkeys(("token", "nickname", "guest", "name", "password"), _STRING),
        frozenset(),
    ),
)
# They are not of a service, or answer with something else than JSON.
_NOT_FUZZED: Final = {"users.sign_in", "events", "health", "openapi"}


class Learnt:
    """Names of what there is, from the answers: ids of rooms, matches and users, streams, seqs."""

    def __init__(self) -> None:
        self.values: dict[str, list[Any]] = {"seq": [1, 2, 3], "board": ["main"], "name": ["main"]}

    def learn(self, result: Any) -> None:
        """Keep what a result names."""
        for item in result if isinstance(result, list) else [result]:
            if not isinstance(item, dict):
                continue
            stream = item.get("stream")
            if isinstance(stream, str):
                self.keep("stream", stream)
                kind, _, name = stream.partition("/")
                if kind in _IDS:
                    self.keep(_IDS[kind], name)
            if isinstance(item.get("nickname"), str) and isinstance(item.get("id"), str):
                self.keep("user_id", item["id"])

    def keep(self, name: str, value: Any) -> None:
        """Keep a value, and the newest of its name."""
        self.values[name] = [*self.values.get(name, []), value][-LEARNT_MAX:]


def methods_of(openapi: Mapping[str, Any]) -> list[Method]:
    """List the methods of a server by its description."""
    methods = []
    for operations in openapi["paths"].values():
        for verb, operation in operations.items():
            if operation["operationId"] not in _NOT_FUZZED:
                methods.append(_method_of(verb, operation, openapi))
    return methods


def _method_of(verb: str, operation: Mapping[str, Any], openapi: Mapping[str, Any]) -> Method:
    if "requestBody" in operation:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        if "$ref" in schema:
            schema = openapi["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        schemas = schema.get("properties", {})
        required = schema.get("required", ())
    else:
        parameters = [one for one in operation.get("parameters", ()) if one["in"] == "query"]
        schemas = {one["name"]: one["schema"] for one in parameters}
        required = [one["name"] for one in parameters if one["required"]]
    return Method(operation["operationId"], verb == "post", schemas, frozenset(required))


def arguments_of(random: Random, method: Method, learnt: Learnt) -> dict[str, Any]:
    """Draw the arguments of a call."""
    given = {
        name: _value(random, name, schema, learnt)
        for name, schema in method.schemas.items()
        if name in method.required or random.random() < 0.4
    }
    if random.random() < 0.05:
        given[random.choice(["unknown", "", "self", "key", "by"])] = random.choice(NASTY)
    if method.name == "games.find_match":
        # It waits so long, and this does not.
        given["timeout"] = random.choice([0.001, 5e-324, 0.01, -1, "x", None])
    return given


def encoded(random: Random, value: Any) -> bytes:
    """Encode arguments, with and without escapes."""
    return json.dumps(value, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")


def _value(random: Random, name: str, schema: Mapping[str, Any], learnt: Learnt) -> Any:
    if (known := learnt.values.get(name)) and random.random() < 0.6:
        return random.choice(known)
    users = learnt.values.get("user_id")
    if name in ("user_ids", "players") and users and random.random() < 0.7:
        return [random.choice(users) for _ in range(random.choice([1, 2, 2, 3, 64]))]
    # The right type goes deeper than a wrong one, which is refused at the door.
    wanted = _types(schema)
    right = [value for value in NASTY if type(value) in wanted]
    return random.choice(right if right and random.random() < 0.7 else NASTY)


def _types(schema: Mapping[str, Any]) -> set[type]:
    names = {schema.get("type"), *(one.get("type") for one in schema.get("anyOf", ()))}
    types: Mapping[str, set[type]] = {
        "string": {str},
        "integer": {int},
        "number": {int, float},
        "boolean": {bool},
        "array": {list},
        "object": {dict},
    }
    return {kind for name in names if name in types for kind in types[name]}
