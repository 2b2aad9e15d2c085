"""
What was taken back is not told to those who come later.

The events stay as they were decided. They are redacted where they leave for somebody who
reads: out of the store, and out of a topic's tail. Which kinds of stream know this, and
what is still shown of an event, their states say.
"""

from __future__ import annotations

from .event import Streams
from .stores.contract import Record, Store

__all__ = ["read_shown", "takes_back"]


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
