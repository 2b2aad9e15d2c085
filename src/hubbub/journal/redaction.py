"""
What was taken back is not told to those who come later.

The events stay as they were decided. They are redacted where they leave for somebody who
reads: out of the store, and out of a topic's tail. Which kinds of stream know this, and
what is still shown of an event, their states say.
"""

from __future__ import annotations

import msgspec

from .event import Event, Streams
from .stores.contract import PlacedEvent, Record, Store

__all__ = ["read_shown", "show", "takes_back"]


def takes_back(streams: Streams, record: Record) -> bool:
    """Tell whether an event takes back the one that it is about."""
    return record.type == "deleted" and streams.kind(record.stream).takes_back


def read_shown(store: Store, streams: Streams, stream: str, after: int, limit: int) -> list[bytes]:
    """Read encoded events after a seq, as they are shown: without what was taken back."""
    bodies = store.read(stream, after, limit)
    kind = streams.kind(stream)
    if (public_form := kind.public_form) is not None:
        bodies = [public_form(body) for body in bodies]
    if bodies and kind.takes_back:
        # Asked for after the events: what is taken back in between is redacted, too.
        for seq in store.taken_back(stream, after, after + len(bodies)):
            index = seq - after - 1
            bodies[index] = streams.redact(bodies[index])
    return bodies


def show(streams: Streams, placed: PlacedEvent) -> Event | None:
    """Decode an event as it is shown, or return None if its kind of stream is not known."""
    kind = streams.kind_of(placed.body)
    if kind is None:
        return None
    public_form = kind.public_form
    event = streams.decode(placed.body if public_form is None else public_form(placed.body))
    if placed.taken_back and kind.takes_back:
        event = msgspec.structs.replace(event, data=kind.redacted(event.data))
    return event
