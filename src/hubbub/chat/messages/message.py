"""A message: the fold of its event and the events about it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from ...errors import NotFound
from ...journal.event import Event
from ..events import Edited, Said, SealedMessage
from .current import CurrentEvents

__all__ = ["Message", "Sealed", "message_of"]


class Sealed(msgspec.Struct, frozen=True, gc=False):
    """
    The ciphertext of an encrypted message, as the server stores it.

    Args:
        device: the sender's device.
        session: the session whose key reads it.
        body: the ciphertext, in base64 without padding; empty when deleted.
    """

    device: str
    session: str
    body: str


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
        sealed: the ciphertext of an encrypted message, whose ``text`` is empty.
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
    sealed: Sealed | None = None


def message_of(said: Event, about: Iterable[Event] | None = None) -> Message:
    """
    Fold a message.

    Args:
        said: the message's event.
        about: the events about it, in order; None for a new message.

    Raises:
        NotFound: the event is not a message.
    """
    data, sealed = said.data, None
    if type(data) is Said:
        text, reply_to = data.text, data.reply_to
    elif type(data) is SealedMessage:
        text, reply_to = "", data.reply_to
        sealed = Sealed(data.device, data.session, data.body)
    else:
        raise NotFound(f"Event {said.seq} of this room is not a message.")
    if about is None:
        return Message(said.stream, said.seq, said.at, said.by, text, reply_to, sealed=sealed)
    # Not isinstance, which is slow for a Sequence.
    current = about if type(about) is CurrentEvents else CurrentEvents(about)
    edited_at, deleted = None, current.deleted is not None
    if current.edited is not None:
        assert isinstance(current.edited.data, Edited)
        text, edited_at = current.edited.data.text, current.edited.at
    if deleted:
        text, sealed = "", sealed and Sealed(sealed.device, sealed.session, "")
    return Message(
        said.stream,
        said.seq,
        said.at,
        said.by,
        text,
        reply_to,
        edited_at,
        deleted,
        current.reactions(),
        sealed,
    )
