"""The access log: what a line shows, and what it never shows."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import pytest

from hubbub.server.access_log import (
    ACCESS_LOGGER,
    PATH_CHARS_MAX,
    REQUEST_ID_CHARS_MAX,
    AccessLog,
)
from hubbub.server.http.request_head import RequestHead, parse_head

SCOPE = {"client": ("127.0.0.1", 4711)}


class Moments:
    """A clock that the test moves on."""

    seconds = 100.0

    def now(self) -> float:
        return self.seconds


@pytest.fixture
def moments() -> Moments:
    return Moments()


@pytest.fixture
def log(moments: Moments, caplog: pytest.LogCaptureFixture) -> AccessLog:
    caplog.set_level(logging.INFO, ACCESS_LOGGER)
    return AccessLog(forwarded, moments.now)


def forwarded(peer: str, headers: Iterable[tuple[bytes, bytes]]) -> str:
    return dict(headers).get(b"x-forwarded-for", peer.encode()).decode()


def head(target: str, *fields: str) -> RequestHead:
    lines = [f"GET {target} HTTP/1.1", "Host: localhost", *fields]
    return parse_head("".join(f"{line}\r\n" for line in [*lines, ""]).encode("latin-1"))


def test_a_line_has_client_method_path_status_bytes_and_time(
    log: AccessLog, moments: Moments, caplog: pytest.LogCaptureFixture
) -> None:
    moments.seconds = 100.0123
    log.request(head("/health"), SCOPE, 200, 15, 100.0)
    [record] = caplog.records

    assert record.getMessage() == '127.0.0.1 "GET /health HTTP/1.1" 200 15 bytes 12.3 ms'
    assert (
        vars(record).items()
        >= {
            "client": "127.0.0.1",
            "method": "GET",
            "path": "/health",
            "status": 200,
            "bytes": 15,
            "milliseconds": 12.3,
        }.items()
    )
    assert not hasattr(record, "request_id")


def test_behind_a_proxy_the_client_is_the_one_that_it_names(
    log: AccessLog, caplog: pytest.LogCaptureFixture
) -> None:
    log.request(head("/", "X-Forwarded-For: 192.0.2.1"), SCOPE, 200, 0, 100.0)

    assert caplog.messages[0].startswith("192.0.2.1 ")


def test_a_request_id_is_logged(log: AccessLog, caplog: pytest.LogCaptureFixture) -> None:
    log.request(head("/", "X-Request-ID: abc-1"), SCOPE, 200, 0, 100.0)

    assert caplog.messages[0].endswith(" id=abc-1")
    assert vars(caplog.records[0])["request_id"] == "abc-1"


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("/api/events?token=swordfish&after=5", "/api/events?token=…&after=5"),
        ("/api/events?ticket=swordfish", "/api/events?ticket=…"),
        ("/api/events?swordfish", "/api/events?swordfish=…"),
        ("/api/events?Sword.Fish-9=1", "/api/events?…"),
        ("/api/chat/search?text=swordfish&limit=5", "/api/chat/search?text=…&limit=5"),
        ("/api/events?stream=room%2Fa", "/api/events?stream=room/a"),
        ("/a%20b?", "/a%20b"),
    ],
)
def test_of_a_query_it_shows_names_and_only_harmless_values(
    log: AccessLog, caplog: pytest.LogCaptureFixture, target: str, shown: str
) -> None:
    log.request(head(target), SCOPE, 200, 0, 100.0)

    assert vars(caplog.records[0])["path"] == shown


@pytest.mark.parametrize("target", ["/?stream=a%0Ab", "/?after=%1b%5b2J", "/?after=%C2%85"])
def test_a_client_cannot_write_a_line_or_a_control_character(
    log: AccessLog, caplog: pytest.LogCaptureFixture, target: str
) -> None:
    log.request(head(target, "X-Request-ID: a\x85\xa0b"), SCOPE, 200, 0, 100.0)

    assert caplog.messages[0].isprintable()
    assert all(str(value).isprintable() for value in (vars(caplog.records[0])["request_id"],))


def test_long_paths_and_ids_are_cut(log: AccessLog, caplog: pytest.LogCaptureFixture) -> None:
    log.request(head(f"/{'a' * 2000}", f"X-Request-ID: {'b' * 2000}"), SCOPE, 200, 0, 100.0)
    record = vars(caplog.records[0])

    assert len(record["path"]) == PATH_CHARS_MAX + 1
    assert len(record["request_id"]) == REQUEST_ID_CHARS_MAX


def test_a_websocket_is_logged_when_it_opens_and_when_it_closes(
    log: AccessLog, moments: Moments, caplog: pytest.LogCaptureFixture
) -> None:
    ended = log.opened(head("/ws"), ("127.0.0.1", 4711), b"HTTP/1.1 101 Switching Protocols\r\n")
    moments.seconds += 12.34
    ended()

    assert caplog.messages == [
        '127.0.0.1 "GET /ws HTTP/1.1" 101 0 bytes 0.0 ms',
        '127.0.0.1 "WebSocket /ws" closed after 12.3 s',
    ]


def test_a_request_that_cannot_be_read_has_a_status_only(
    log: AccessLog, caplog: pytest.LogCaptureFixture
) -> None:
    log.refused(SCOPE, 400)

    assert caplog.messages == ['127.0.0.1 "-" 400']


def test_a_unix_socket_has_no_address(log: AccessLog, caplog: pytest.LogCaptureFixture) -> None:
    log.request(head("/"), {"client": None}, 200, 0, 100.0)

    assert caplog.messages[0].startswith(' "GET / ')


def test_nothing_is_logged_above_the_level_info(
    log: AccessLog, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, ACCESS_LOGGER)
    log.request(head("/"), SCOPE, 200, 0, 100.0)
    log.refused(SCOPE, 400)
    log.opened(head("/ws"), None, b"HTTP/1.1 101 Switching Protocols\r\n")()

    assert caplog.messages == []
