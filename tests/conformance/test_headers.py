"""The headers for a browser, and the checks of its origin and of the host name."""

from __future__ import annotations

import pytest

from tests.blackbox.raw import Head, Raw, handshake_of
from tests.blackbox.served import Served

BODY = b'{"nickname":"a"}'
REFUSED = (400, 401, 403, 404, 421)


def ask(server: Served, line: str, *headers: str, body: bytes = b"") -> Head:
    """Send a request; return the head of the answer."""
    length = [f"Content-Length: {len(body)}"] if body else []
    lines = [line, *headers, *length, "Connection: close", "", ""]
    with Raw(server.port) as client:
        client.send("\r\n".join(lines).encode("latin-1") + body)
        return client.read_head()


@pytest.mark.parametrize(
    "line",
    [
        "GET /health",
        "GET /api/chat/rooms",
        "GET /api/events?stream=index/rooms",
        "GET /api/nothing",
        "POST /api/users/sign_in",
        "POST /api/chat/send",
        "DELETE /api/chat/send",
    ],
)
def test_an_answer_of_the_api_is_not_kept_and_not_guessed_at(server: Served, line: str) -> None:
    head = ask(server, f"{line} HTTP/1.1", "Host: x")

    assert head.headers["x-content-type-options"] == "nosniff"
    assert "no-store" in head.headers["cache-control"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "localhost:8000", "[::1]:8000"])
def test_metrics_are_told_to_this_machine(server: Served, host: str) -> None:
    assert ask(server, "GET /metrics HTTP/1.1", f"Host: {host}").status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example"]
)
def test_metrics_are_not_told_under_another_name(server: Served, host: str) -> None:
    assert ask(server, "GET /metrics HTTP/1.1", f"Host: {host}").status in REFUSED


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For: 8.8.8.8", "Forwarded: for=8.8.8.8", "X-Forwarded-For: \xff"]
)
def test_metrics_are_not_told_to_another_machine(server: Served, header: str) -> None:
    head = ask(server, "GET /metrics HTTP/1.1", "Host: localhost", header)

    # A header that is not known names nobody.
    assert head.status in (REFUSED if header.startswith("X") else (200, *REFUSED))


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example"]
)
def test_another_sites_page_does_not_reach_the_hub(server: Served, origin: str) -> None:
    with Raw(server.port) as client:
        client.send(handshake_of("/ws", f"Origin: {origin}"))
        socket = client.read_head()
    request = ask(
        server,
        "POST /api/users/sign_in HTTP/1.1",
        "Host: 127.0.0.1",
        f"Origin: {origin}",
        "Content-Type: text/plain",
        body=BODY,
    )

    assert socket.status == 403
    assert request.status == 403


def test_the_hubs_own_page_reaches_it(server: Served) -> None:
    host = f"127.0.0.1:{server.port}"
    with Raw(server.port) as client:
        client.send(handshake_of("/ws", f"Origin: http://{host}", host=host))
        socket = client.read_head()
    request = ask(
        server,
        "POST /api/users/sign_in HTTP/1.1",
        f"Host: {host}",
        f"Origin: http://{host}",
        body=BODY,
    )

    assert socket.status == 101
    assert request.status == 200


def test_a_program_that_names_no_page_reaches_the_hub(server: Served) -> None:
    assert ask(server, "POST /api/users/sign_in HTTP/1.1", "Host: x", body=BODY).status == 200
