"""Whatever bytes come, they are read or refused as another implementation does."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from hubbub.server.websocket.frames import (
    BINARY,
    CLOSE,
    OVERSIZE,
    PING,
    PONG,
    TEXT,
    FrameError,
    Frames,
)

BYTES_MAX = 150

Message = tuple[int, bytes]

# A close ends it all, and has a test of its own.
opcodes = st.sampled_from([0, TEXT, BINARY, PING, PONG]) | st.integers(0, 15).filter(
    lambda opcode: opcode != CLOSE
)
sizes = st.integers(0, 8) | st.sampled_from([125, 126, BYTES_MAX, BYTES_MAX + 1, 65_536])


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """Make a frame; most are valid."""
    first = draw(opcodes) | (0x80 if draw(st.booleans()) else 0)
    if draw(st.integers(0, 19)) == 0:
        first |= draw(st.sampled_from([0x10, 0x20, 0x40]))
    size = draw(sizes)
    if size < 126:
        header = bytes((first, 0x80 | size))
    elif size < 65_536:
        header = bytes((first, 0xFE)) + size.to_bytes(2, "big")
    else:
        header = bytes((first, 0xFF)) + size.to_bytes(8, "big")
    # The other leaves it to us to look at characters, so a text has only those of one byte.
    mask = bytes(draw(st.lists(st.integers(0, 127), min_size=4, max_size=4)))
    # What it says does not matter; the mask makes it any bytes.
    return header + mask + bytes(size)


@given(st.lists(frames(), max_size=12), st.lists(st.integers(0, 300), max_size=6))
def test_frames_are_read_or_refused_as_by_another_implementation(
    sent: list[bytes], cuts: list[int]
) -> None:
    data = b"".join(sent)
    ends = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [data[start:end] for start, end in pairwise(ends)]

    assert read(pieces) == read_by_other(pieces)


def read(pieces: list[bytes]) -> tuple[list[Message], int | None]:
    """Return the messages, and the code of the refusal if there was one."""
    ours, messages = Frames(BYTES_MAX), []
    try:
        for piece in pieces:
            for message in ours.feed(piece):
                messages.append(message)  # noqa: PERF402  (what comes before the refusal counts)
    except FrameError as error:
        return messages, error.code
    return messages, None


def read_by_other(pieces: list[bytes]) -> tuple[list[Message], int | None]:
    """Read the same with websockets, which leaves it to us to put fragments together."""
    other = ServerProtocol(state=State.OPEN, max_size=None)
    for piece in pieces:
        other.receive_data(piece)
    messages: list[Message] = []
    whole, kind = b"", 0
    for event in other.events_received():
        assert isinstance(event, Frame)
        if event.opcode in (Opcode.PING, Opcode.PONG):
            messages.append((event.opcode, bytes(event.data)))
            continue
        kind = kind if event.opcode is Opcode.CONT else event.opcode
        whole = bytes(event.data) if event.opcode is not Opcode.CONT else whole + bytes(event.data)
        if event.fin:
            messages.append((kind, whole) if len(whole) <= BYTES_MAX else (OVERSIZE, b""))
    return messages, other.close_sent.code if other.close_sent else None
