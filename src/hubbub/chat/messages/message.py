"""A message: the fold of its event and the events about it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from operator import attrgetter

import msgspec

from ...errors import NotFound
from ...journal.event import Event
from ...text import plain_emoji
from ..events import Deleted, Edited, Reacted, Said, Unreacted

__all__ = ["Message", "current", "message_of"]


class Message(msgspec.Struct, frozen=True, gc=False):
    """
    A message, as it is now.

    Args:
        stream: the room's stream.
        seq: its place in the stream, which identifies the message in its room.
        at: when it was sent, UTC.
        by: the author.
        text: the last edit; empty if deleted.
        reply_to: the seq of the message that it replies to.
        edited_at: when it was last edited, if ever.
        deleted: True if it was deleted.
        reactions: an emoji -> the users who reacted with it, in order.
    """

    stream: str
    seq: int
    at: datetime
    by: str
    text: str
    reply_to: int | None = None
    edited_at: datetime | None = None
    deleted: bool = False
    reactions: dict[str, list[str]] = {}


def message_of(said: Event, about: Iterable[Event] = ()) -> Message:
    """
    Fold a message.

    Raises:
        NotFound: the event is not a message.
    """
    if not isinstance(said.data, Said):
        raise NotFound(f"Event {said.seq} of this room is not a message.")
    text, edited_at, deleted = said.data.text, None, False
    reactions: dict[str, list[str]] = {}
    for event in current(about):
        match event.data:
            case Edited(new):
                text, edited_at = new, event.at
            case Deleted():
                deleted = True
            case Reacted(emoji):
                reactions.setdefault(plain_emoji(emoji), []).append(event.by)
    if deleted:
        text = ""
    return Message(
        said.stream,
        said.seq,
        said.at,
        said.by,
        text,
        said.data.reply_to,
        edited_at,
        deleted,
        reactions,
    )


def current(about: Iterable[Event]) -> list[Event]:
    """
    Return the events about a message that still count, in order.

    They are the last edit, the deletion, and the current reactions: each emoji of a
    user once, in whatever form it came.
    """
    edited: Event | None = None
    deleted: Event | None = None
    reactions: dict[tuple[str, str], Event] = {}
    for event in about:
        match event.data:
            case Reacted(emoji):
                reactions.setdefault((plain_emoji(emoji), event.by), event)
            case Unreacted(emoji):
                reactions.pop((plain_emoji(emoji), event.by), None)
            case Edited():
                edited = event
            case Deleted():
                deleted = event
                reactions.clear()
            case unknown:
                raise AssertionError(f"not about a message: {unknown!r}")
    kept = [event for event in (edited, deleted, *reactions.values()) if event is not None]
    return sorted(kept, key=attrgetter("seq"))
