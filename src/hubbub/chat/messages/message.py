"""A message: the fold of its event and the events about it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from operator import attrgetter

import msgspec

from ...errors import Conflict, NotFound
from ...journal.event import Draft, Event
from ...permissions import Who, check
from ...text import plain_emoji
from ..events import Deleted, Edited, Reacted, Said, Unreacted

__all__ = ["Message", "current", "delete", "edit", "message_of", "react", "unreact"]

# Different emoji on one message.
REACTIONS_MAX = 50


class Message(msgspec.Struct, frozen=True, gc=False):
    """
    What somebody said, as it is now.

    Args:
        stream: the room's stream.
        seq: its place there; it is the message's name in that room.
        at: when it was said, UTC.
        by: who said it.
        text: as last edited; empty when deleted.
        reply_to: the seq of the message that it answers.
        edited_at: when it was last edited, if ever.
        deleted: True when it was taken back.
        reactions: an emoji -> who reacted with it, the first first.
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
    Return those that count of the events about a message, in order.

    They are the last edit, the deletion, and the reactions that there are now: each of a
    user's emoji once, in whatever form it came.
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


def edit(message: Message, by: str, text: str) -> list[Draft]:
    """
    Change what one said.

    Raises:
        NotAuthor: somebody else said it.
        Conflict: it was deleted.
    """
    check("chat.edit", *_held(message, by))
    _check_there(message)
    if message.text == text:
        return []
    return [Draft(message.stream, Edited(text), message.seq)]


def delete(message: Message, by: str, held: tuple[Who, ...] = ()) -> list[Draft]:
    """
    Take a message back. To delete twice is to delete once.

    Args:
        message: as it is.
        by: who wants it gone.
        held: what the user is to the room.

    Raises:
        NotAllowed: somebody else said it, and ``by`` is no moderator.
    """
    check("chat.delete", *_held(message, by), *held)
    if message.deleted:
        return []
    return [Draft(message.stream, Deleted(), message.seq)]


def react(message: Message, by: str, emoji: str, reactions_max: int) -> list[Draft]:
    """
    React with an emoji. The same one twice counts once, in whatever form.

    Args:
        message: as it is.
        by: the user who reacts.
        emoji: exactly one.
        reactions_max: how many reactions a message may have, of all users together.

    Raises:
        Conflict: the message was deleted, or has as many reactions as it may have, or
            50 different emoji already.
    """
    _check_there(message)
    emoji = plain_emoji(emoji)
    if by in message.reactions.get(emoji, ()):
        return []
    if emoji not in message.reactions and len(message.reactions) >= REACTIONS_MAX:
        raise Conflict(f"A message has at most {REACTIONS_MAX} different emoji; use one of them.")
    if sum(map(len, message.reactions.values())) >= reactions_max:
        raise Conflict(f"A message has at most {reactions_max} reactions; take one of yours back.")
    return [Draft(message.stream, Reacted(emoji), message.seq)]


def unreact(message: Message, by: str, emoji: str) -> list[Draft]:
    """Take a reaction back, in whatever form it came; if there is none, nothing happens."""
    emoji = plain_emoji(emoji)
    if by not in message.reactions.get(emoji, ()):
        return []
    return [Draft(message.stream, Unreacted(emoji), message.seq)]


def _held(message: Message, by: str) -> tuple[Who, ...]:
    return ("author",) if message.by == by else ()


def _check_there(message: Message) -> None:
    if message.deleted:
        raise Conflict("The message was deleted; it cannot be changed any more.")
