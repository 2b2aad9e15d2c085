"""The decisions about messages. Pure: they take states and return drafts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from ...errors import Conflict, NotFound
from ...journal.decide.states import States
from ...journal.event import Draft, Event
from ...journal.link import Linked, Links
from ...permissions import check
from ...shown import shown
from ...stream_names import user_stream
from ...text import check_emoji, check_text, plain_emoji
from ..events import Created, Deleted, Edited, Reacted, Said, SealedMessage, Unreacted
from ..grants import CHAT_GRANTS
from ..limits import check_directs
from ..rooms.room import Room, RoomState, direct_stream, room_of
from .message import Message, message_of
from .sealed import check_plain

__all__ = [
    "MessageChange",
    "change_message",
    "check_user",
    "delete",
    "direct_room_of",
    "edit",
    "message_at",
    "other_of",
    "react",
    "said",
    "send",
    "send_direct",
    "unreact",
]

# Different emoji on one message.
REACTIONS_MAX = 50

MessageChange = Callable[[Message, RoomState], Sequence[Draft]]


def charges(by: str) -> tuple[tuple[str, str], ...]:
    """Return the rate limit that a message counts against."""
    return (("messages", by),)


def send(  # noqa: PLR0913
    stream: str,
    by: str,
    text: str,
    reply_to: int | None,
    chars_max: int,
    states: States,
    *,
    charged: bool = True,
) -> Sequence[Draft]:
    """
    Send a message to a room; see :meth:`hubbub.chat.service.Chat.send`.

    Args:
        charged: whether the message limit counts it.
    """
    room = states.of(RoomState, stream)
    room.check_speaker(by, states.now)
    check_plain(room)
    data = Said(check_text(text, chars_max), reply_to)
    if reply_to is not None:
        message_of(states.event(stream, reply_to))
    if charged:
        states.charge("messages", by)
    return (Draft(stream, data),)


def send_direct(  # noqa: PLR0913
    by: str, other: str, text: str, chars_max: int, states: States, *, charged: bool = True
) -> Sequence[Draft]:
    """
    Send a message to a user; see :meth:`hubbub.chat.service.Chat.send_direct`.

    Args:
        charged: whether the message limit counts it.
    """
    check_user(states, other)
    stream = direct_stream(by, other)
    first, second = sorted((by, other))
    drafts = [Draft(stream, Said(check_text(text, chars_max)))]
    room = states.of(RoomState, stream)
    check_plain(room)
    if room.created_at is None:
        for user in (by, other):
            check_directs(states.of(Links, user_stream(user)))
        drafts.insert(0, Draft(stream, Created("", private=True, direct=(first, second))))
        drafts += [Draft(user_stream(user), Linked(stream)) for user in (by, other)]
    if charged:
        states.charge("messages", by)
    return drafts


def change_message(  # noqa: PLR0913
    stream: str, seq: int, by: str, change: MessageChange, plain: bool, states: States
) -> Sequence[Draft]:
    """Decide a change of a message; the user must be able to send messages in its room."""
    room = states.of(RoomState, stream)
    room.check_speaker(by, states.now)
    if plain:
        check_plain(room)
    return change(message_at(stream, seq, states), room)


def message_at(stream: str, seq: int, states: States) -> Message:
    """Return a message as it is now."""
    return message_of(states.event(stream, seq), states.about(stream, seq))


def edit(message: Message, by: str, text: str, chars_max: int) -> list[Draft]:
    """
    Change the text of a message.

    Raises:
        Invalid: the text is empty or too long.
        NotAuthor: another user sent it.
        Conflict: the message was deleted.
    """
    text = check_text(text, chars_max)
    check(CHAT_GRANTS["chat.edit"], *_held(message, by))
    _check_there(message)
    if message.text == text:
        return []
    return [Draft(message.stream, Edited(text), message.seq)]


def delete(message: Message, by: str, held: tuple[str, ...] = ()) -> list[Draft]:
    """
    Delete a message. Deleting it again changes nothing.

    Args:
        message: the message.
        by: the user who deletes it.
        held: the relations of the user to the room.

    Raises:
        NotAllowed: another user sent it, and ``by`` is not a moderator.
    """
    check(CHAT_GRANTS["chat.delete"], *_held(message, by), *held)
    if message.deleted:
        return []
    return [Draft(message.stream, Deleted(), message.seq)]


def react(message: Message, by: str, emoji: str, reactions_max: int) -> list[Draft]:
    """
    React with an emoji. The same emoji again, in whatever form, changes nothing.

    Args:
        message: the message.
        by: the user who reacts.
        emoji: exactly one emoji.
        reactions_max: the number of reactions on a message, from all users together.

    Raises:
        Invalid: the text is not exactly one emoji.
        Conflict: the message was deleted, or has too many reactions or too many different
            emoji.
    """
    emoji = plain_emoji(check_emoji(emoji))
    _check_there(message)
    if by in message.reactions.get(emoji, ()):
        return []
    if emoji not in message.reactions and len(message.reactions) >= REACTIONS_MAX:
        raise Conflict(f"A message can have {REACTIONS_MAX} different emoji; use one of them.")
    if sum(map(len, message.reactions.values())) >= reactions_max:
        raise Conflict(f"A message can have {reactions_max} reactions; remove one of yours first.")
    return [Draft(message.stream, Reacted(emoji), message.seq)]


def unreact(message: Message, by: str, emoji: str) -> list[Draft]:
    """Remove a reaction, in whatever form; without one, nothing happens."""
    emoji = plain_emoji(check_emoji(emoji))
    if by not in message.reactions.get(emoji, ()):
        return []
    return [Draft(message.stream, Unreacted(emoji), message.seq)]


def said(states: States, events: Sequence[Event]) -> Message:
    """Return the message that was just sent."""
    for event in events:
        if type(event.data) in (Said, SealedMessage):
            return message_of(event)
    raise AssertionError("no message was sent")


def direct_room_of(stream: str, user: str, states: States) -> Room:
    """Return a direct conversation for one of its users: its name is the other's nickname."""
    room = room_of(stream, states.of(RoomState, stream), user)
    nickname = states.of(Links, user_stream(other_of(stream, user))).nickname
    return msgspec.structs.replace(room, name=nickname)


def other_of(stream: str, user: str) -> str:
    """Return the other user of a direct conversation."""
    _, one, other = stream.split("/")
    return one if other == user else other


def check_user(states: States, user: str) -> None:
    """Raise NotFound if the user does not exist."""
    if not states.entry(user_stream(user)).head:
        raise NotFound(f"There is no user {shown(user)}; check the id.")


def _held(message: Message, by: str) -> tuple[str, ...]:
    return ("author",) if message.by == by else ()


def _check_there(message: Message) -> None:
    if message.deleted:
        raise Conflict("The message was deleted; it cannot be changed.")
