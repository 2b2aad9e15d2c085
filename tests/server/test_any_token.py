"""Whatever is sent as a token, wherever tokens are read: it is refused, and nothing is logged."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from anyio import to_thread
from jwt.algorithms import HMACAlgorithm

import hubbub
from hubbub.server import Gateway, create_app
from hubbub.server.auth.jwt_authenticator import JwtAuthenticator
from hubbub.server.auth.tokens import TOKEN_CHARS_MAX
from tests.server.api import http_of
from tests.server.memory_socket import Client


def made_up(header: str, payload: str = "{}", signature: str = "AAAA") -> str:
    encoded = [
        base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode() for part in (header, payload)
    ]
    return ".".join([*encoded, signature])


DEEP = "[" * 2_000 + "]" * 2_000
GIANT = "1" * 5_000
KEYS = json.dumps({"keys": [HMACAlgorithm.to_jwk("k" * 32, as_dict=True)]})
TOKENS = {
    "a deep header": made_up('{"alg":"HS256","x":' + DEEP + "}"),
    "a deep payload": made_up('{"alg":"HS256"}', DEEP),
    "a deep object": made_up('{"a":' * 700 + "1" + "}" * 700),
    "a giant number": made_up('{"alg":"HS256","x":' + GIANT + "}"),
    "a giant algorithm": made_up('{"alg":' + GIANT + "}"),
    "a list of keys": made_up('{"alg":"HS256","kid":["a"]}'),
    "an unknown extension": made_up('{"alg":"HS256","crit":["x"]}'),
    "no signature": made_up('{"alg":"none"}', '{"sub":"x","exp":9999999999}', ""),
    "lists": made_up("[]", "[]"),
    "null": made_up("null", "null"),
    "a surrogate": made_up('{"alg":"\\ud800"}'),
    "dots": "..",
    "many dots": "." * 5_000,
    "no Base64": "a.b.c",
    "long": "x" * 60_000,
}
# What only JSON can carry.
ODD = {"empty": "", "nul": "\x00.\ud7ff.é", "Latin": "\xff\xfe"}


@asynccontextmanager
async def server(kind: str, path: Path) -> AsyncIterator[tuple[Gateway, httpx2.AsyncClient]]:
    authenticator = None
    if kind == "with keys":
        await to_thread.run_sync(path.write_text, KEYS)
        authenticator = JwtAuthenticator(path)
    async with hubbub.open("memory://") as hub:
        gateway = Gateway(hub, authenticator)
        async with http_of(create_app(hub, gateway=gateway)) as http:
            yield gateway, http


def told(answer: dict[str, Any]) -> tuple[int, str]:
    return answer["error"]["code"], answer["error"]["data"]["code"]


@pytest.mark.parametrize("kind", ["ours", "with keys"])
@pytest.mark.parametrize("token", [*TOKENS.values(), *ODD.values()], ids=[*TOKENS, *ODD])
async def test_it_signs_nobody_in(
    kind: str, token: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with server(kind, tmp_path / "keys.json") as (gateway, _):
        client = Client(gateway)
        answers = []
        for params in ({"token": token}, {"nickname": "Eve", "guest": token}):
            request = {"jsonrpc": "2.0", "id": 1, "method": "session.sign_in", "params": params}
            client.socket.messages.clear()
            client.connection.receive(json.dumps(request))
            answers.append(told(await client.answer(1)))

    assert answers == [(-32003, "not_allowed")] * 2
    assert [record for record in caplog.records if record.exc_info] == []


@pytest.mark.parametrize("kind", ["ours", "with keys"])
@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
async def test_it_makes_no_request(
    kind: str, token: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with server(kind, tmp_path / "keys.json") as (_, http):
        answers = [
            await http.get("/api/users/online", headers={"Authorization": f"Bearer {token}"}),
            await http.get("/api/events", params={"stream": "index/rooms", "ticket": token}),
            await http.post("/api/users/sign_in", json={"token": token}),
            await http.post("/api/users/sign_in", json={"nickname": "Eve", "guest": token}),
        ]

    assert [answer.status_code for answer in answers] == [401] * 4
    assert [record for record in caplog.records if record.exc_info] == []


def test_a_token_may_be_as_long_as_a_header() -> None:
    assert TOKEN_CHARS_MAX == 8_192
