"""The outcome of a connection, in words: ``["answer", "close 1000", "closed"]``."""

from __future__ import annotations

import json
from typing import Final, NamedTuple

from tests.blackbox.raw import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    Frame,
    Raw,
    frame_of,
    request_of,
)

__all__ = ["ANSWERED", "HELLO", "HELLO_TEXT", "Case", "closes", "outcome_of", "play"]

Outcome = tuple[str, ...]

# Any request will do to see that a message was read; this one is answered by a result.
HELLO: Final = request_of("session.sign_in", nickname="Zoë €😀")
HELLO_TEXT: Final = frame_of(HELLO)

ANSWERED: Final[Outcome] = ("answer", "open")

# Its pong shows that the server has read everything before it, and that nothing more comes.
_LAST: Final = b"the last"
_SHOWN: Final = {PONG: "pong", BINARY: "binary"}


class Case(NamedTuple):
    """The bytes after the handshake, each part a segment, and the permitted outcomes."""

    name: str
    right: tuple[Outcome, ...]
    parts: tuple[bytes, ...]


def closes(*codes: int | None) -> tuple[Outcome, ...]:
    """Say that the server closes with one of some codes, None for no code, and no more."""
    return tuple(("close" if code is None else f"close {code}", "closed") for code in codes)


def play(client: Raw, case: Case) -> Outcome:
    """Do what a case says, and return what comes of it."""
    client.upgrade()
    client.send(*case.parts)
    return outcome_of(client, *case.right)


def outcome_of(client: Raw, *right: Outcome) -> Outcome:
    """
    Read until the connection ends, or shows that it stays open.

    Args:
        client: after its handshake.
        right: what may come of it: where it may stay open something more is sent, and as
            much as is right is waited for.
    """
    wanted = min((len(outcome) for outcome in right if outcome[-1] == "open"), default=0)
    if wanted:
        client.send(frame_of(_LAST, PING))
    seen: list[str] = []
    last = False
    while not last or len(seen) + 1 < wanted:
        frame = client.frame()
        if frame is None:
            return (*seen, client.ended)
        if frame == (PONG, _LAST):
            last = True
        else:
            seen.append(word_of(frame))
    return (*seen, "open")


def word_of(frame: Frame) -> str:
    """Say what a frame of the server's is."""
    if frame.opcode == CLOSE:
        return "close" if frame.code is None else f"close {frame.code}"
    if frame.opcode != TEXT:
        shown = _SHOWN.get(frame.opcode, f"opcode {frame.opcode}")
        return f"{shown} {len(frame.payload)}" if frame.payload else shown
    message = json.loads(frame.payload)
    first = message[0] if isinstance(message, list) else message
    if "error" in first:
        return f"error {first['error']['code']}"
    return "answer" if "result" in first else "told"
