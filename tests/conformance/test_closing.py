"""Closing: RFC 6455, sections 5.5.1, 7.1 and 7.4."""

from __future__ import annotations

import os
import time

import pytest

from tests.blackbox.raw import CLOSE, PING, Raw, close_of, frame_of, request_of
from tests.blackbox.served import Served
from tests.conformance.conftest import HASTY_SECONDS
from tests.conformance.outcomes import HELLO, Case, closes, outcome_of, play

RIGHT_CODES = (
    *(1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014),
    *(3000, 3999, 4000, 4999),
)
WRONG_CODES = (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)
NOT_UTF8 = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80"
# The close code arrives every time, also if the client still sends: so often it is tried.
TRIES = 20
PATIENCE_SECONDS = 10.0

CASES = [
    Case("no code", closes(None, 1000), (close_of(),)),
    Case("a reason", closes(1000), (close_of(1000, b"good bye"),)),
    Case("a reason of 123 bytes", closes(1000), (close_of(1000, bytes(123)),)),
    Case("126 bytes", closes(1002), (close_of(1000, bytes(124)),)),
    Case("one byte", closes(1002), (frame_of(b"\x03", CLOSE),)),
    Case("a reason that is not UTF-8", closes(1002, 1007), (close_of(1000, NOT_UTF8),)),
    Case("a fragment", closes(1002), (frame_of(b"\x03\xe8", CLOSE, final=False),)),
    Case("a ping behind it", closes(1000), (close_of(1000) + frame_of(b"late", PING),)),
    Case("a close behind it", closes(1000), (close_of(1000) * 2,)),
    Case("junk behind it", closes(1000), (close_of(1000) + b"\xff" * 100,)),
    *(Case(f"code {code}", closes(code, 1000), (close_of(code),)) for code in RIGHT_CODES),
    *(Case(f"code {code}", closes(1002), (close_of(code),)) for code in WRONG_CODES),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_close_is_answered_by_one_close(server: Served, case: Case) -> None:
    with Raw(server.port) as client:
        assert play(client, case) in case.right


@pytest.mark.parametrize(
    "ending", [close_of(1000), frame_of(HELLO, reserved=1)], ids=["a close", "a broken frame"]
)
def test_what_is_behind_the_end_is_not_carried_out(server: Served, ending: bytes) -> None:
    name = f"Made too late {os.urandom(4).hex()}"
    with Raw(server.port) as client, Raw(server.port) as other:
        client.sign_in()
        client.send(ending + frame_of(request_of("chat.create_room", 2, name=name)))
        client.read_to_the_end()
        other.sign_in()

        assert name not in str(other.result("chat.rooms", limit=500))


def test_the_code_arrives_though_the_client_goes_on_sending(server: Served) -> None:
    outcomes = set()
    for _ in range(TRIES):
        with Raw(server.port) as client:
            client.upgrade()
            client.send(frame_of(HELLO, reserved=1), *[frame_of(bytes(30_000))] * 20)
            outcomes.add(outcome_of(client)[:1])

    assert outcomes == {("close 1002",)}


def test_a_client_that_sends_no_more_is_let_go(server: Served) -> None:
    with Raw(server.port) as client:
        client.upgrade()
        client.half_close()

        assert outcome_of(client)[-1] == "closed"


def test_a_client_that_does_not_answer_a_close_is_let_go(server: Served) -> None:
    with Raw(server.port) as client:
        client.upgrade(frame_of(HELLO, reserved=1))
        began = time.perf_counter()
        outcome = outcome_of(client)

    assert outcome == ("close 1002", "closed")
    assert time.perf_counter() - began < PATIENCE_SECONDS


def test_a_client_that_does_not_sign_in_is_told_so_and_let_go(hasty_server: Served) -> None:
    with Raw(hasty_server.port) as client:
        client.upgrade()
        began = time.perf_counter()
        outcome = outcome_of(client)

    assert outcome == ("close 3500", "closed")
    assert time.perf_counter() - began < HASTY_SECONDS + PATIENCE_SECONDS
