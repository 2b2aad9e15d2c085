"""The opening handshake, as RFC 6455 has it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub import Settings
from hubbub.server.websocket.handshake import PAGES_KEPT_MAX, Answer, Handshakes

GOOD = {
    "host": "hub.example",
    "upgrade": "websocket",
    "connection": "Upgrade",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-protocol": "hubbub.v1",
}


def answer_to(changed: Mapping[str, str | None], *more: tuple[str, str]) -> Answer:
    """Answer a good request with some fields changed, or left out, and some more."""
    fields = [(name, value) for name, value in {**GOOD, **changed}.items() if value is not None]
    headers = [(name.encode(), value.encode()) for name, value in [*fields, *more]]
    return Handshakes(Settings()).answer(headers)


def test_the_answer_is_that_of_the_rfc() -> None:
    answer = answer_to({"sec-websocket-protocol": "other, hubbub.v1"})

    assert answer.accepted
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in answer.head
    assert b"Sec-WebSocket-Protocol: hubbub.v1\r\n" in answer.head


@pytest.mark.parametrize("protocol", [None, "soap"])
def test_a_protocol_that_was_not_offered_is_not_named(protocol: str | None) -> None:
    answer = answer_to({"sec-websocket-protocol": protocol})

    assert answer.accepted
    assert b"Sec-WebSocket-Protocol" not in answer.head


def test_the_protocol_may_be_offered_in_a_header_of_its_own() -> None:
    answer = answer_to({"sec-websocket-protocol": "soap"}, ("sec-websocket-protocol", "hubbub.v1"))

    assert b"Sec-WebSocket-Protocol: hubbub.v1\r\n" in answer.head


def test_no_extension_is_agreed_to() -> None:
    answer = answer_to({"sec-websocket-extensions": "permessage-deflate; client_max_window_bits"})

    assert answer.accepted
    assert b"Extensions" not in answer.head


@pytest.mark.parametrize(
    "changed",
    [
        {"sec-websocket-version": "8"},
        {"sec-websocket-version": None},
        {"sec-websocket-key": None},
        {"sec-websocket-key": "short"},
        {"sec-websocket-key": "!" * 24},
        {"sec-websocket-key": "eHh4eHh4eHh4eHh4eHh4"},
        {"sec-websocket-key": "eHh4eHh4eHh4eHh4eHh4eHg="},
        {"connection": "close"},
        {"upgrade": "foo, websocket"},
        {"host": None},
    ],
    ids=[
        "another version", "no version", "no key", "a short key", "a key that is no base64",
        "a key of 15 bytes", "a key of 17 bytes", "no Connection: Upgrade", "two upgrades",
        "no host",
    ],
)  # fmt: skip
def test_a_bad_handshake_is_refused_and_told_the_version(changed: dict[str, str | None]) -> None:
    answer = answer_to(changed)

    assert not answer.accepted
    assert answer.head.startswith(b"HTTP/1.1 426")
    assert b"\r\nSec-WebSocket-Version: 13\r\n" in answer.head


@pytest.mark.parametrize("name", ["sec-websocket-key", "sec-websocket-version", "host", "origin"])
def test_what_may_be_given_once_is_not_given_twice(name: str) -> None:
    value = GOOD.get(name) or "http://hub.example"

    assert not answer_to({name: value}, (name, value)).accepted


@pytest.mark.parametrize(("method", "version"), [("POST", "1.1"), ("GET", "1.0")])
def test_only_a_get_of_http_1_1_is_a_handshake(method: str, version: str) -> None:
    headers = [(name.encode(), value.encode()) for name, value in GOOD.items()]

    assert not Handshakes(Settings()).answer(headers, method=method, version=version).accepted


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://hub.example", b"101"), ("https://evil.example", b"403"), ("null", b"403")],
)
def test_a_page_of_another_site_is_refused(origin: str, status: bytes) -> None:
    assert answer_to({"origin": origin}).head.split()[1] == status


CHOICES: dict[str, list[str | None]] = {
    "host": ["hub.example", "hub.example:8000", "", "a b", None],
    "origin": ["http://hub.example", "https://evil.example", "null", "\xe9", None],
    "upgrade": ["websocket", "WebSocket", "websocket, foo", "h2c", "", None],
    "sec-websocket-version": ["13", "8", "", None],
    "sec-websocket-key": [
        GOOD["sec-websocket-key"], "eHh4eHh4eHh4eHh4eHh4", "AAAAAAAAAAAAAAAAAAAAAB==", "", None,
    ],
    "sec-websocket-protocol": ["hubbub.v1", "soap", "soap, hubbub.v1", "", None],
}  # fmt: skip


@given(st.fixed_dictionaries({name: st.sampled_from(them) for name, them in CHOICES.items()}))
def test_the_usual_form_is_answered_like_any_other(changed: dict[str, str | None]) -> None:
    # The library reads the second form.
    usual = answer_to({**changed, "connection": "keep-alive, Upgrade"})

    assert usual == answer_to({**changed, "connection": "Upgrade,keep-alive, x"})


def test_a_page_is_refused_each_time() -> None:
    handshakes = Handshakes(Settings())
    evil = [f"https://evil{number}.example" for number in range(PAGES_KEPT_MAX + 1)]
    for origin in ["http://hub.example", *evil, "http://hub.example", *evil]:
        fields = {**GOOD, "origin": origin}
        headers = [(name.encode(), value.encode()) for name, value in fields.items()]

        assert handshakes.answer(headers).accepted is (origin not in evil)


@given(st.dictionaries(st.sampled_from(sorted({*GOOD, "origin"})), st.binary(max_size=40)))
def test_any_bytes_get_an_answer(changed: dict[str, bytes]) -> None:
    fields = {name: value.encode() for name, value in GOOD.items()} | changed
    answer = Handshakes(Settings()).answer((name.encode(), v) for name, v in fields.items())

    assert answer.head.startswith(b"HTTP/1.1 ")
    assert answer.head.endswith(b"\r\n\r\n")
