"""Messages, their fragments, their sizes and UTF-8: RFC 6455, sections 5.2, 5.4, 5.6 and 8.1."""

from __future__ import annotations

import json
from typing import Final

import pytest

from tests.blackbox.raw import BINARY, CONTINUATION, PING, Raw, frame_of
from tests.blackbox.served import Served
from tests.conformance.outcomes import ANSWERED, HELLO, HELLO_TEXT, Case, closes, play

FRAME_BYTES_MAX: Final = 64 * 1024
MEGABYTE: Final = 1_000_000

# Too large for a request, but no reason to end the connection; ending it is right as well.
TOO_LARGE = (("error -32600", "open"), *closes(1009))
# A client that goes on for ever is cut off in the end, but is told why.
FAR_TOO_LARGE = (*closes(1009), ("close 1009", "reset"))
TOO_LARGE_AND_ANSWERED = (("error -32600", "answer", "open"), *closes(1009))


def first(payload: bytes) -> bytes:
    """Make the first of several fragments."""
    return frame_of(payload, final=False)


def middle(payload: bytes) -> bytes:
    """Make a fragment between others."""
    return frame_of(payload, CONTINUATION, final=False)


def last(payload: bytes) -> bytes:
    """Make the last fragment."""
    return frame_of(payload, CONTINUATION)


def padded(size: int) -> bytes:
    """Make a good request of a size."""
    return HELLO + b" " * (size - len(HELLO))


def one_by_one(data: bytes) -> tuple[bytes, ...]:
    """Take bytes apart."""
    return tuple(bytes([byte]) for byte in data)


# Between the bytes of the euro sign.
CUT = HELLO.index("€".encode()) + 1

MESSAGES = [
    Case("a text", (ANSWERED,), (HELLO_TEXT,)),
    Case("three fragments", (ANSWERED,), (first(HELLO[:9]), middle(HELLO[9:20]), last(HELLO[20:]))),
    Case("fragments of one byte", (ANSWERED,), (
        b"".join([first(HELLO[:1]), *map(middle, one_by_one(HELLO[1:-1])), last(HELLO[-1:])]),)),
    Case("a character in two fragments", (ANSWERED,), (first(HELLO[:CUT]), last(HELLO[CUT:]))),
    Case("empty fragments", (ANSWERED,), (
        first(b"") + middle(b"") + middle(HELLO) + last(b""),)),
    Case("a ping between fragments", (("pong 2", *ANSWERED),), (
        first(HELLO[:9]), frame_of(b"hi", PING), last(HELLO[9:]))),
    Case("byte by byte", (ANSWERED,), one_by_one(HELLO_TEXT)),
    Case("an empty text is no request", (("error -32700", "open"),), (frame_of(b""),)),
    Case("a text within a text", closes(1002), (first(HELLO[:9]), HELLO_TEXT)),
    Case("a continuation of nothing", closes(1002), (last(HELLO),)),
    Case("a continuation of a whole text", (("error -32600", "close 1002", "closed"),), (
        frame_of(b"{}"), last(HELLO))),
    Case("a binary message", (("error -32700", "open"), *closes(1003)), (
        frame_of(b"\0\1", BINARY),)),
    Case("100,000 empty fragments", (ANSWERED,), (
        first(b"") + middle(b"") * 100_000 + last(HELLO),)),
]  # fmt: skip

SIZES = [
    *(Case(f"{size} bytes", (ANSWERED,), (frame_of(padded(size)),))
      for size in (125, 126, 127, FRAME_BYTES_MAX - 1, FRAME_BYTES_MAX)),
    Case("a byte too many", TOO_LARGE, (frame_of(padded(FRAME_BYTES_MAX + 1)),)),
    Case("a text behind one that is too large", TOO_LARGE_AND_ANSWERED, (
        frame_of(padded(70_000)), HELLO_TEXT)),
    Case("fragments that are too large together", TOO_LARGE_AND_ANSWERED, (
        first(padded(40_000)), last(b" " * 40_000), HELLO_TEXT)),
    Case("a ping in what is too large", (
        ("pong 1", *TOO_LARGE_AND_ANSWERED[0]), *closes(1009)), (
        first(padded(70_000)), frame_of(b"x", PING), last(b" "), HELLO_TEXT)),
    Case("17 MB in one frame", FAR_TOO_LARGE, (frame_of(b" " * 17 * MEGABYTE),)),
    Case("17 MB in fragments", FAR_TOO_LARGE, (
        first(b" " * (MEGABYTE // 2)), *[middle(b" " * (MEGABYTE // 2))] * 34)),
    Case("2**62 bytes to come", closes(1002, 1009), (
        b"\x81\xff" + (1 << 62).to_bytes(8, "big") + bytes(4),)),
    Case("a size with its highest bit set", closes(1002, 1009), (
        b"\x81\xff" + ((1 << 63) + 5).to_bytes(8, "big") + bytes(9),)),
    Case("16 bits for a size of 7", closes(1002), (frame_of(b'{"a":1}', size_bits=16),)),
    Case("64 bits for a size of 7", closes(1002), (frame_of(b'{"a":1}', size_bits=64),)),
    Case("64 bits for a size of 200", closes(1002), (frame_of(padded(200), size_bits=64),)),
]  # fmt: skip

WRONG_UTF8 = {
    "a continuation byte alone": b"\x80",
    "a byte that is none": b"\xff",
    "a slash in two bytes": b"\xc0\xaf",
    "a NUL in four bytes": b"\xf0\x80\x80\x80",
    "half a pair": b"\xed\xa0\x80",
    "above the last character": b"\xf4\x90\x80\x80",
    "a character cut off": "€".encode()[:2],
}
RIGHT_UTF8 = ("\ud7ff", "\ue000", "\uffff", "\U0010ffff", "\0")


@pytest.mark.parametrize("case", [*MESSAGES, *SIZES], ids=lambda case: case.name)
def test_a_message_is_read_or_refused(server: Served, case: Case) -> None:
    with Raw(server.port) as client:
        assert play(client, case) in case.right


@pytest.mark.parametrize("wrong", WRONG_UTF8.values(), ids=WRONG_UTF8.keys())
def test_a_text_that_is_not_utf8_ends_the_connection(server: Served, wrong: bytes) -> None:
    at_the_end, inside = HELLO + wrong, HELLO.replace("€".encode(), wrong)
    for parts in [
        (frame_of(at_the_end),),
        (frame_of(inside),),
        (first(inside[:30]), last(inside[30:])),
    ]:
        with Raw(server.port) as client:
            assert play(client, Case("", closes(1007), parts)) in closes(1007)


@pytest.mark.parametrize(
    "parts",
    [(first(b'{"a":"\xce'), last(b'\x20"}')), (first(b'{"a":"'), last(b"\xe2\x82"))],
    ids=["a wrong byte behind a first one", "cut off at the end of the last fragment"],
)
def test_a_character_must_be_right_over_fragments(server: Served, parts: tuple[bytes, ...]) -> None:
    with Raw(server.port) as client:
        assert play(client, Case("", closes(1007), parts)) in closes(1007)


@pytest.mark.parametrize("character", RIGHT_UTF8, ids=ascii)
def test_every_character_may_be_sent(server: Served, character: str) -> None:
    request = json.loads(HELLO) | {"unknown": character}
    text = json.dumps(request, ensure_ascii=character == "\0")
    with Raw(server.port) as client:
        assert play(client, Case("", (ANSWERED,), (frame_of(text),))) == ANSWERED
