"""
Redaction: later readers do not get the text of a deleted message.

The events stay as they were decided. They are redacted when a reader gets them: from the store,
and from a topic's tail. The states of a stream define which events are deleted, and which part
is still shown.
"""

from __future__ import annotations

import msgspec

from .event import Event, Streams, tag_of
from .stores.contract import PlacedEvent, Store

__all__ = ["read_shown", "show", "takes_back"]


def takes_back(streams: Streams, event: Event) -> bool:
    """Return whether an event deletes the event that it is about."""
    return tag_of(type(event.data)) == "deleted" and streams.kind(event.stream).takes_back


def read_shown(store: Store, streams: Streams, stream: str, after: int, limit: int) -> list[bytes]:
    """Return encoded events after a seq, redacted."""
    bodies = store.read(stream, after, limit)
    kind = streams.kind(stream)
    if (public_form := kind.public_form) is not None:
        bodies = [public_form(body) for body in bodies]
    if bodies and kind.takes_back:
        # Query after reading the events: a deletion in between is redacted, too.
        for seq in store.taken_back(stream, after, after + len(bodies)):
            index = seq - after - 1
            bodies[index] = streams.redact(bodies[index])
    return bodies


def show(streams: Streams, placed: PlacedEvent) -> Event | None:
    """Decode an event, redacted; return None if its kind of stream is unknown."""
    kind = streams.kind_of(placed.body)
    if kind is None:
        return None
    public_form = kind.public_form
    event = streams.decode(placed.body if public_form is None else public_form(placed.body))
    if placed.taken_back and kind.takes_back:
        event = msgspec.structs.replace(event, data=kind.redacted(event.data))
    return event
