"""
Frames: what the nodes of a cluster send one another over the bus, in MessagePack.

A node numbers its frames for each shard from 1. So the other nodes know which are lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import msgspec

from .bus import SHARDS

__all__ = [
    "FRAME_BYTES_MAX",
    "MESSAGE_BYTES_MAX",
    "NODE_CHARS_MAX",
    "Broadcast",
    "Frame",
    "NodeAnswer",
    "NodeRequest",
    "Noticed",
    "StreamEvents",
    "decode_frame",
    "encode_frame",
    "shard_of",
]

# The largest frame that a node reads; whatever is larger is refused before it is decoded.
FRAME_BYTES_MAX = 4 * 1024 * 1024
# The largest body of a message from node to node: every bus carries it in one frame.
MESSAGE_BYTES_MAX = 16 * 1024
# The longest id of a node.
NODE_CHARS_MAX = 64


class StreamEvents(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """
    New events of a stream.

    Args:
        stream: its name.
        first: the seq of the first event.
        bodies: the encoded events; without any it is only a note that the stream ends right
            before ``first``.
    """

    stream: str
    first: int
    bodies: Sequence[bytes] = ()


class Noticed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A signal to the followers of a stream."""

    stream: str
    body: bytes


class Broadcast(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A message to all nodes."""

    kind: str
    body: bytes


class NodeRequest(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A request to one node; the asker has numbered it."""

    to: str
    number: int
    kind: str
    body: bytes


class NodeAnswer(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The answer to a request; ``body`` is None if the node could not answer it."""

    to: str
    number: int
    body: bytes | None


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """
    A frame, or a heartbeat, which has the number of the last frame before it.

    Args:
        node: the id of the sender, new with every start.
        shard: from 0 to ``SHARDS`` - 1.
        number: from 1, one more for each frame of this sender and shard.
        beat: the sender's own time of a heartbeat, in seconds; None: it is no heartbeat.
    """

    node: str
    shard: int
    number: int
    beat: float | None = None
    events: Sequence[StreamEvents] = ()
    signals: Sequence[Noticed] = ()
    told: Sequence[Broadcast] = ()
    asked: Sequence[NodeRequest] = ()
    answered: Sequence[NodeAnswer] = ()


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Frame).decode


def encode_frame(frame: Frame) -> bytes:
    """Encode a frame."""
    return _encode(frame)


def decode_frame(data: bytes) -> Frame | None:
    """Decode a frame; return None for anything that is none."""
    if len(data) > FRAME_BYTES_MAX:
        return None
    try:
        frame = _decode(data)
    # Deep nesting is a RecursionError.
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return None
    good = (
        0 < len(frame.node) <= NODE_CHARS_MAX
        and 0 <= frame.shard < SHARDS
        and frame.number >= (1 if frame.beat is None else 0)
        and all(run.first >= 1 for run in frame.events)
    )
    return frame if good else None


def shard_of(name: str) -> int:
    """Return the shard of a stream, the same on every node."""
    return crc32(name.encode("utf-8", "surrogatepass")) % SHARDS
