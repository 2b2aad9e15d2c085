"""Checks the events of a stream, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from ..errors import HubbubError
from .event import Event, State, Streams
from .stores.contract import Record

__all__ = ["DECODING_ERRORS", "Head", "StreamCheck", "head_of"]

UTC_OFFSET = timedelta(0)

# The errors of a store or a decoder for damaged bytes.
DECODING_ERRORS = (HubbubError, ValueError)


class Head(msgspec.Struct, frozen=True):
    """The fields that every event has, of whatever feature."""

    stream: str
    seq: int
    type: str
    at: datetime
    by: str
    ref: int | None = None


class StreamCheck:
    """
    Checks the events of a stream, from the first on.

    Args:
        stream: its name.
        streams: the known kinds of stream; of the events of another kind only the head is checked.

    Raises:
        HubbubError: the text is not the name of a stream.
    """

    def __init__(self, stream: str, streams: Streams) -> None:
        self.stream = stream
        self.seq = 0
        self.at: datetime | None = None
        # False after a fault: the fold is meaningless from then on.
        self.sound = True
        self._streams = streams
        self.state: State | None = None
        if stream.partition("/")[0] in streams:
            self.state = streams.empty(stream)
        else:
            streams.check_name(stream)

    def check(self, record: Record) -> Iterator[str]:
        """Yield the faults of the next event."""
        for fault in self._faults(record):
            self.sound = False
            yield fault

    def _faults(self, record: Record) -> Iterator[str]:
        if record.seq != self.seq + 1:
            last = record.seq - 1
            missing = f"event {last} is" if last == self.seq + 1 else f"events up to {last} are"
            yield f"{missing} missing before it"
        self.seq = record.seq
        event: Event | None = None
        try:
            head = head_of(record.body)
            if self.state is not None:
                event = self._streams.decode(record.body)
        except DECODING_ERRORS as error:
            yield f"it cannot be decoded: {error}"
            return
        yield from self._head_faults(record, head)
        if self.sound and self.state is not None and event is not None:
            yield from _fold_faults(self.state, event)

    def _head_faults(self, record: Record, head: Head) -> Iterator[str]:
        shown = (head.stream, head.seq, head.type, head.by, head.ref)
        columns = (record.stream, record.seq, record.type, record.by, record.ref)
        if shown != columns:
            yield f"it is stored as {columns} and contains {shown}"
        if head.ref is not None and not 1 <= head.ref < record.seq:
            yield f"it is about event {head.ref}, which is not earlier"
        if head.at.utcoffset() != UTC_OFFSET:
            yield f"its time {head.at.isoformat()} is not UTC"
            return
        if self.at is not None and head.at < self.at:
            yield f"its time {head.at.isoformat()} is before {self.at.isoformat()}"
        self.at = head.at


def head_of(body: bytes) -> Head:
    """
    Decode the head of an event, of whatever feature.

    Raises:
        ValueError: it is damaged: it has another form, or it is not one line of text.
    """
    if b"\n" in body:
        raise ValueError("it has several lines")
    # A decoder does not look into what it skips.
    body.decode()
    return _decode_head(body)


def _fold_faults(state: State, event: Event) -> Iterator[str]:
    try:
        state.apply(event)
    except Exception as error:  # any exception of a fold is a fault of the journal
        yield f"it does not fold: {type(error).__name__}: {error}"


_decode_head = msgspec.json.Decoder(Head).decode
