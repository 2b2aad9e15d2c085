"""Addresses of servers, with and without a scheme."""

from __future__ import annotations

import pytest

from hubbub.client.server_url import is_plainly_address, server_url


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("localhost:8000", "http://localhost:8000"),
        ("LOCALHOST", "http://LOCALHOST"),
        ("hub.localhost:8000", "http://hub.localhost:8000"),
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("127.1.2.3/live", "http://127.1.2.3/live"),
        ("[::1]:8000", "http://[::1]:8000"),
        ("0.0.0.0:8000", "http://0.0.0.0:8000"),
        (" localhost:8000\n", "http://localhost:8000"),
    ],
)
def test_this_machine_is_reached_over_http(address: str, url: str) -> None:
    assert server_url(address) == url


@pytest.mark.parametrize(
    "address",
    ["example.org", "chat.example.org:8443/live", "192.168.1.5:8000", "[2001:db8::1]", "server"],
)
def test_every_other_host_is_reached_over_https(address: str) -> None:
    assert server_url(address) == f"https://{address}"


@pytest.mark.parametrize("address", ["http://example.org", "https://localhost", "ftp://a", ""])
def test_an_address_with_a_scheme_stays_unchanged(address: str) -> None:
    assert server_url(address) == address


@pytest.mark.parametrize(
    "text",
    [
        *["http://a", "https://example.org/live", "localhost", "localhost:8000", "127.0.0.1"],
        *["[::1]:8000", "example.org:8000", "example.org:8000/live", "localhost/live"],
    ],
)
def test_a_scheme_a_port_or_this_machine_is_plainly_an_address(text: str) -> None:
    assert is_plainly_address(text)


@pytest.mark.parametrize("text", ["Lobby", "v1.0", "example.org", "a:b", "note: 5", "", ":8000"])
def test_a_name_of_a_room_is_not(text: str) -> None:
    assert not is_plainly_address(text)
