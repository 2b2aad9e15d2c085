"""Frames, read by Hubbub and by two other implementations, to compare them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol
from wsproto.frame_protocol import FrameProtocol, ParseFailed

from hubbub.server.websocket.frames import CLOSE, OVERSIZE, PING, PONG, FrameError, Frames

__all__ = ["BYTES_MAX", "ReadFrames", "check_frames", "read_frames"]

# The largest message of the first comparison: so small that many are larger.
BYTES_MAX: Final = 150
# The largest of the second one, which has to see the characters of all.
ALL_BYTES_MAX: Final = 1 << 20
# A close code of IANA's registry that wsproto does not know.
BAD_GATEWAY: Final = (1014).to_bytes(2, "big")
# The other refuses some frames only when it has all of the header.
HEADER_COMPLETION: Final = bytes(16)
HEADER_BYTES_MAX: Final = 14
# So much completes any frame, except for one that is larger than both limits.
COMPLETION: Final = bytes(70_000)


class ReadFrames(NamedTuple):
    """The messages of a connection, and the code of the refusal if there was one."""

    messages: list[tuple[int, bytes]]
    refused: int | None


def check_frames(pieces: Sequence[bytes]) -> None:
    """Fail if bytes mean something else to Hubbub than to the others, or depend on the cuts."""
    data = b"".join(pieces)
    ours = read_frames(pieces, BYTES_MAX)
    assert ours == read_frames([data], BYTES_MAX), "the cuts change the meaning"
    _check_against_websockets([data], ours)

    ours = read_frames(pieces, ALL_BYTES_MAX)
    theirs = refused_by_wsproto(data)
    match ours.refused:
        case None if theirs == 1007:
            # It decodes the characters of a frame as they come, and we when the frame is whole.
            assert read_frames([data, COMPLETION], ALL_BYTES_MAX).refused in (None, 1007)
        case None if theirs == 1002 and closed_with(ours, BAD_GATEWAY):
            pass
        case None:
            assert theirs is None, f"only wsproto refuses it, with {theirs}"
        case 1002 | 1007:
            theirs = theirs or refused_by_wsproto(data + HEADER_COMPLETION)
            assert theirs == ours.refused, f"we refuse it with {ours.refused}, they: {theirs}"
        case 1009:
            # They have no limit, so they wait for the bytes, and may find another fault in them.
            pass
        case code:
            raise AssertionError(f"unknown code {code}")


def closed_with(read: ReadFrames, code: bytes) -> bool:
    """Return whether the last message is a close frame with a code."""
    opcode, payload = read.messages[-1] if read.messages else (0, b"")
    return opcode == CLOSE and payload.startswith(code)


def read_frames(pieces: Sequence[bytes], bytes_max: int) -> ReadFrames:
    """Read with Hubbub's frames."""
    ours, messages = Frames(bytes_max), list[tuple[int, bytes]]()
    try:
        for piece in pieces:
            for message in ours.feed(piece):
                messages.append(message)
            # A fragment of a message, and the next one that is not whole yet.
            kept = sum(map(len, ours._pieces or ())) + len(ours._parts or b"")
            assert kept <= 2 * bytes_max + HEADER_BYTES_MAX, "it keeps more than it should"
    except FrameError as error:
        assert not list(ours.feed(COMPLETION)), "it reads on after a fault"
        return ReadFrames(messages, error.code)
    return ReadFrames(messages, None)


def refused_by_wsproto(data: bytes) -> int | None:
    """Return the code with which wsproto refuses bytes, or None."""
    other = FrameProtocol(client=False, extensions=[])
    other.receive_bytes(data)
    try:
        for _ in other.received_frames():
            pass
    except ParseFailed as error:
        return int(error.code)
    return None


def read_by_websockets(pieces: Sequence[bytes]) -> ReadFrames:
    """Read with websockets, which leaves it to us to put fragments together."""
    other = ServerProtocol(state=State.OPEN, max_size=None)
    for piece in pieces:
        other.receive_data(piece)
    messages, whole, kind = list[tuple[int, bytes]](), b"", 0
    for event in other.events_received():
        assert isinstance(event, Frame)
        if event.opcode in (CLOSE, PING, PONG):
            messages.append((event.opcode, bytes(event.data)))
            continue
        kind = kind if event.opcode is Opcode.CONT else event.opcode
        whole = bytes(event.data) if event.opcode is not Opcode.CONT else whole + bytes(event.data)
        if event.fin:
            messages.append((kind, whole) if len(whole) <= BYTES_MAX else (OVERSIZE, b""))
    failed = other.parser_exc is not None and other.close_sent is not None
    return ReadFrames(messages, other.close_sent.code if failed and other.close_sent else None)


def _check_against_websockets(pieces: Sequence[bytes], ours: ReadFrames) -> None:
    theirs = read_by_websockets(pieces)
    last = ours.messages[-1][0] if ours.messages else None
    if last == CLOSE:
        # It may come between fragments: RFC 6455 (5.4, 5.5.1) allows it, websockets does not.
        count = len(ours.messages) - 1
        assert theirs.messages[:count] == ours.messages[:count]
    elif ours.refused is None:
        assert theirs.refused is None, f"only websockets refuses it, with {theirs.refused}"
        # A message that is too large is told before it is there.
        told = ours.messages[:-1] if last == OVERSIZE else ours.messages
        assert theirs.messages in (told, ours.messages)
    else:
        # It looks at no characters, so it may read on; and it waits for all of a wrong frame.
        # The code is compared with that of wsproto.
        assert theirs.messages[: len(ours.messages)] == ours.messages
