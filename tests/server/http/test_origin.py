"""Which pages may reach the hub from a browser."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub import Settings
from hubbub.server.http.origin import host_allowed, is_loopback_host, origin_allowed


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        (None, "hub.example", True),
        ("https://hub.example", "hub.example", True),
        ("HTTPS://Hub.Example", "hub.example", True),
        ("https://hub.example", "hub.example:443", True),
        ("http://hub.example", "hub.example:80", True),
        ("http://localhost:8000", "localhost:8000", True),
        ("http://[::1]:8000", "[::1]:8000", True),
        ("https://evil.example", "hub.example", False),
        ("http://localhost:8001", "localhost:8000", False),
        ("https://hub.example.evil.example", "hub.example", False),
        ("https://hub.example@evil.example", "hub.example", False),
        ("https://hub.example/", "hub.example", False),
        ("null", "hub.example", False),
        ("", "hub.example", False),
        ("file://", "hub.example", False),
        ("https://hub.example", None, False),
        ("https://hub.example:x", "hub.example", False),
    ],
)
def test_by_default_only_pages_of_the_hub_itself(
    origin: str | None, host: str | None, allowed: bool
) -> None:
    assert origin_allowed(origin, host, Settings()) is allowed


def test_origins_that_are_named_are_allowed_as_well() -> None:
    settings = Settings(allowed_origins=["https://example.org/", "null"])

    assert origin_allowed("https://example.org", "hub.example", settings)
    assert origin_allowed("null", "hub.example", settings)
    assert not origin_allowed("http://example.org", "hub.example", settings)


def test_a_star_allows_all() -> None:
    assert origin_allowed("https://evil.example", "x", Settings(allowed_origins=["*"]))


def test_by_default_every_host_is_allowed() -> None:
    assert host_allowed("whatever", Settings())
    assert host_allowed(None, Settings())


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("hub.example", True),
        ("HUB.example:8000", True),
        ("localhost:8000", True),
        ("127.0.0.1", True),
        ("evil.example", False),
        ("127.0.0.1.evil.example", False),
        (None, False),
    ],
)
def test_hosts_that_are_named_and_this_machine(host: str | None, allowed: bool) -> None:
    assert host_allowed(host, Settings(allowed_hosts=["hub.example"])) is allowed


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:80", "[::1]:80", "127.8.8.8"])
def test_names_of_this_machine(host: str) -> None:
    assert is_loopback_host(host)


@pytest.mark.parametrize("host", ["", "evil.example", "10.0.0.1", "[::2]", "[", "localhost.x"])
def test_names_of_others(host: str) -> None:
    assert not is_loopback_host(host)


@given(st.text(), st.text())
def test_whatever_is_sent_is_answered(origin: str, host: str) -> None:
    settings = Settings(allowed_origins=["https://a.example"], allowed_hosts=["a.example"])
    origin_allowed(origin, host, settings)
    origin_allowed(f"https://{origin}", host, settings)
    host_allowed(host, settings)
