"""Where a client is, though a proxy may stand before the server."""

from __future__ import annotations

import httpx2
import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

import hubbub
from hubbub import Invalid, Settings
from hubbub.addresses import networks_of
from hubbub.server import Gateway
from hubbub.server.address import client_address
from tests.server.raw_client import connected
from tests.server.running import running

CLIENT = "192.0.2.1"
PROXIES = networks_of(["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"])
PASSWORD = "correct horse"


def seen(peer: str, *forwarded: str) -> str:
    return client_address(peer, [(b"x-forwarded-for", one.encode()) for one in forwarded], PROXIES)


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        (CLIENT, [], CLIENT),
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", [CLIENT], CLIENT),
        ("10.1.2.3", [f"{CLIENT}, 10.9.9.9"], CLIENT),
        ("10.1.2.3", [CLIENT, "10.9.9.9"], CLIENT),
        ("2001:db8::1", ["2001:dead::1"], "2001:dead::1"),
        ("", [CLIENT], CLIENT),
        ("", [], ""),
    ],
)
def test_it_is_the_last_who_is_no_proxy(peer: str, forwarded: list[str], address: str) -> None:
    assert seen(peer, *forwarded) == address


def test_who_is_no_proxy_is_not_believed() -> None:
    assert seen(CLIENT, "198.51.100.7") == CLIENT
    assert seen("127.0.0.1", f"198.51.100.7, {CLIENT}") == CLIENT
    assert client_address("", [(b"x-forwarded-for", b"1.2.3.4")], []) == ""


@pytest.mark.parametrize(
    ("written", "address"),
    [
        (f"{CLIENT}:4711", CLIENT),
        ("[2001:dead::1]:4711", "2001:dead::1"),
        ("[2001:dead::1]", "2001:dead::1"),
        (f"::ffff:{CLIENT}", CLIENT),
        (f"  {CLIENT} ", CLIENT),
    ],
)
def test_however_it_is_written_it_is_one_address(written: str, address: str) -> None:
    assert seen("127.0.0.1", written) == address


@pytest.mark.parametrize("nonsense", ["", "unknown", "1.2.3", "\xff", "a:b", "["])
def test_what_is_no_address_ends_at_the_proxy(nonsense: str) -> None:
    assert seen("127.0.0.1", CLIENT, nonsense) == "127.0.0.1"


@given(st.lists(st.text(st.characters(codec="latin-1")), max_size=5))
def test_whatever_is_written_there_is_an_address(forwarded: list[str]) -> None:
    headers = [(b"x-forwarded-for", one.encode("latin-1")) for one in forwarded]

    assert client_address("10.0.0.1", headers, PROXIES)


async def test_what_is_no_network_is_refused_when_the_server_begins() -> None:
    settings = Settings(trusted_proxies=["the proxy"])
    async with hubbub.open("memory://", settings=settings) as hub:
        with pytest.raises(Invalid, match="trusted_proxies"):
            Gateway(hub)


async def test_a_socket_is_where_the_proxy_says() -> None:
    async with running() as server, connected(server.address, "ann", forwarded_for=CLIENT):
        [socket] = server.gateway.connections.values()

        assert socket.address == CLIENT


async def test_those_behind_one_proxy_do_not_lock_one_another_out() -> None:
    # Ten times as many from one address.
    settings = Settings(password_attempts=1)
    tried = [f"192.0.2.{number}" for number in range(11)]
    async with running(settings=settings) as server:
        # What a hash costs is not what is tested.
        cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        server.hub.accounts.hashing.hasher = cheap
        async with server.hub.session("ann") as ann:
            await ann.users.create_account("ann", PASSWORD)
        async with httpx2.AsyncClient(base_url=server.address) as http:
            for number, address in enumerate(tried):
                guess = {"name": f"nobody {number}", "password": PASSWORD}
                headers = {"x-forwarded-for": address}
                await http.post("/api/users/sign_in", json=guess, headers=headers)
            right = {"name": "ann", "password": PASSWORD}
            answer = await http.post(
                "/api/users/sign_in", json=right, headers={"x-forwarded-for": CLIENT}
            )

    assert answer.status_code == 200
