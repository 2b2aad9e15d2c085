"""Secrets that are put wherever a client or an operator can put them."""

from __future__ import annotations

from collections.abc import Sequence

import httpx2
import pytest

import hubbub
from hubbub.errors import HubbubError
from tests.server.raw_client import RawClient, connected

__all__ = ["METRICS_TOKEN", "SECRET", "plant"]

SECRET = "planted-signing-secret-0123456789"
METRICS_TOKEN = "planted-metrics-token"
PASSWORDS = ["planted-password-1", "planted-password-2", "planted-wrong-password"]
COOKIE = "planted-cookie"
FORGED = "planted.forged.token"
SIGNATURE = "t=1,v1=planted-signature"


async def plant(address: str, path: str = "") -> Sequence[str]:
    """
    Use a server with secrets everywhere, rightly and wrongly.

    Args:
        address: the server's.
        path: where the hub is mounted, like ``/live``.

    Returns:
        What must be in no log.
    """
    base = address + path
    async with httpx2.AsyncClient(base_url=base, cookies={"app": COOKIE}, timeout=30) as http:
        ann = (await http.post("/api/users/sign_in", json={"nickname": "Ann"})).json()
        bob = (await http.post("/api/users/sign_in", json={"nickname": "Bob"})).json()
        found = [one[kind] for one in (ann, bob) for kind in ("token", "refresh_token")]
        bearer = {"Authorization": f"Bearer {ann['token']}"}
        await _use_accounts(http, bearer)
        await _send_nonsense(http, bearer)
        found += await _follow(http, bearer)
        scraped = await http.get("/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"})
        signed = {"Stripe-Signature": SIGNATURE}
        await http.post("/webhooks/stripe", content=b"{}", headers=signed)
    assert scraped.status_code == 200
    headers = {"Cookie": f"app={COOKIE}", "Authorization": f"Bearer {FORGED}"}
    async with connected(address, path=f"{path}/ws", headers=headers) as socket:
        found += await _sign_in(socket)
    await _connect(base, bob["refresh_token"])
    return [*found, SECRET, METRICS_TOKEN, *PASSWORDS, COOKIE, FORGED, SIGNATURE[4:]]


async def _use_accounts(http: httpx2.AsyncClient, bearer: dict[str, str]) -> None:
    first, second, wrong = PASSWORDS
    for method, body in (
        ("users/create_account", {"name": "Ann", "password": first}),
        ("users/change_password", {"old": wrong, "new": second}),
        ("users/change_password", {"old": first, "new": second}),
        ("users/sign_in", {"name": "Ann", "password": wrong}),
        ("users/sign_in", {"name": "Ann", "password": second}),
        ("users/sign_in", {"name": "Ann", "password": [first]}),
        ("users/sign_in", {"nickname": "Eve", "guest": FORGED}),
    ):
        await http.post(f"/api/{method}", json=body, headers=bearer)


async def _send_nonsense(http: httpx2.AsyncClient, bearer: dict[str, str]) -> None:
    forged = {"Authorization": f"Bearer {FORGED}"}
    answers = [
        await http.get("/api/users/online", headers=forged),
        await http.get("/api/users/online", headers={"Authorization": f"Basic {FORGED}"}),
        await http.get("/metrics", headers=forged),
        await http.get("/nothing", headers=bearer),
        await http.put("/api/users/sign_in", json={"password": PASSWORDS[0]}),
        await http.post("/api/users/sign_in", content=f'{{"password": "{PASSWORDS[0]}'.encode()),
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 404, 405, 422]


async def _follow(http: httpx2.AsyncClient, bearer: dict[str, str]) -> list[str]:
    """Follow a stream with a ticket; return the cookie, which is as good as the ticket was."""
    ticket = (await http.post("/api/events/ticket", headers=bearer)).json()["ticket"]
    query = {"stream": "index/rooms", "after": "0", "ticket": ticket}
    async with http.stream("GET", "/api/events", params=query) as answer:
        assert answer.status_code == 200, await answer.aread()
        [cookie] = [value for name, value in answer.cookies.items() if name != "app"]
    async with http.stream("GET", "/api/events", params=query) as answer:
        assert answer.status_code == 200, await answer.aread()
    return [cookie]


async def _sign_in(socket: RawClient) -> list[str]:
    wrong = await socket.ask("session.sign_in", name="Ann", password=PASSWORDS[2])
    assert "error" in wrong
    result = (await socket.ask("session.sign_in", name="Ann", password=PASSWORDS[1]))["result"]
    await socket.ask("users.change_password", old=PASSWORDS[1], new=PASSWORDS[0])
    return [result["token"], result["refresh_token"]]


async def _connect(url: str, token: str) -> None:
    async with hubbub.connect(url, token=token) as session:
        await session.users.online()
    with pytest.raises(HubbubError) as refused:
        async with hubbub.connect(url, token=FORGED):
            pass
    assert FORGED not in str(refused.value)
