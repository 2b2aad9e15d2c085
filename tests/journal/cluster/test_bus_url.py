from __future__ import annotations

import pytest

from hubbub.errors import Invalid
from hubbub.journal.cluster.bus_address import BusAddress
from hubbub.journal.cluster.bus_url import open_bus, open_notify_bus, read_bus_url
from hubbub.journal.cluster.notify_bus import NotifyBus
from hubbub.journal.cluster.valkey_bus import ValkeyBus


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://host", BusAddress("server", (("host", 6379),))),
        ("valkey://host:1", BusAddress("server", (("host", 1),))),
        (
            "rediss://ann:p%40ss@host/0",
            BusAddress("server", (("host", 6379),), True, "ann", "p@ss"),
        ),
        ("valkeys://:pass@[::1]:5", BusAddress("server", (("::1", 5),), True, "", "pass")),
        ("redis+cluster://a,b:7", BusAddress("cluster", (("a", 6379), ("b", 7)))),
        ("valkeys+cluster://a", BusAddress("cluster", (("a", 6379),), True)),
        (
            "redis+sentinel://:pass@a,b:7/main",
            BusAddress("sentinel", (("a", 26379), ("b", 7)), False, "", "pass", "main"),
        ),
    ],
)
def test_a_url_names_a_bus(url: str, address: BusAddress) -> None:
    assert read_bus_url(url) == address


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nats://host", "no bus for 'nats://host'; use redis://HOST:6379"),
        ("redis+other://host", "no bus for"),
        ("host:6379", "no bus for"),
        ("", "no bus for"),
        ("redis://", "a host and perhaps a port"),
        ("redis://host:port", "not 'host:port'"),
        ("redis://host:99999", "not 'host:99999'"),
        ("redis+cluster://a,,b", "not ''"),
        ("redis://a,b", r"redis\+cluster://… or redis\+sentinel://…"),
        ("redis+sentinel://a", "the name of their service"),
    ],
)
def test_a_wrong_url_is_refused_in_a_sentence(url: str, message: str) -> None:
    with pytest.raises(Invalid, match=message) as refused:
        read_bus_url(url)

    assert "\n" not in str(refused.value)


def test_no_message_shows_a_password() -> None:
    with pytest.raises(Invalid) as refused:
        read_bus_url("nats://ann:secret@host")

    assert "secret" not in str(refused.value)
    assert "secret" not in str(read_bus_url("redis://:secret@host"))


def test_each_bus_is_opened_without_connecting() -> None:
    assert isinstance(open_bus("redis://127.0.0.1:1", "j"), ValkeyBus)
    assert isinstance(open_bus("rediss://127.0.0.1:1", "j"), ValkeyBus)
    assert isinstance(open_notify_bus("postgresql://127.0.0.1:1/x", "j"), NotifyBus)


def test_a_url_of_no_bus_is_refused() -> None:
    with pytest.raises(Invalid, match="no bus for"):
        open_bus("memory://", "j")
