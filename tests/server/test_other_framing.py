"""Whatever bytes come, they are read or refused as two other implementations do."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hubbub.server.websocket.frames import BINARY, CLOSE, PING, PONG, TEXT
from tests.fuzzing.framing import BYTES_MAX, check_frames

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
    # What it says does not matter; the mask makes it any bytes, of which many are characters.
    mask = bytes(draw(st.lists(st.integers(0, 127) | st.integers(0, 255), min_size=4, max_size=4)))
    return header + mask + bytes(size)


@given(st.lists(frames(), max_size=12), st.lists(st.integers(0, 300), max_size=6))
def test_frames_are_read_or_refused_as_by_other_implementations(
    sent: list[bytes], cuts: list[int]
) -> None:
    data = b"".join(sent)
    ends = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [data[start:end] for start, end in pairwise(ends)]

    check_frames(pieces)
